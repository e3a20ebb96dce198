// A worker for pages that are opened from a folder, where browsers allow none: its script runs in a
// hidden frame. The search of the site is such a worker.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.documentElement.append(frame);
      const inside = frame.contentWindow;
      inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", {data}));
      const script = inside.document.createElement("script");
      script.src = url;
      this.ready = new Promise(resolve => (script.onload = () => resolve(inside)));
      inside.document.head.append(script);
    }
    postMessage(data) {
      this.ready.then(inside => inside.dispatchEvent(new MessageEvent("message", {data})));
    }
  };
}
