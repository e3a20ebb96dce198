// What a reader would see wrong on a page in a window of this width: a list of lines.
(width) => {
  const numbers = (text) => {
    const found = text.match(/[\d.]+/g).map(Number);
    return found.length < 4 ? [...found, 1] : found;
  };
  const over = (top, below) =>
    [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const ancestors = function* (e) {
    for (; e; e = e.parentElement) yield e;
  };

  // The colour behind an element; null if it is a picture.
  const background = (e) => {
    const layers = [];
    for (const x of ancestors(e)) {
      const style = getComputedStyle(x);
      if (style.backgroundImage !== "none") return null;
      layers.unshift(numbers(style.backgroundColor));
      if (layers[0][3] === 1) break;
    }
    return layers.reduce((below, top) => over(top, below), [255, 255, 255, 1]);
  };

  // WCAG 2.2: relative luminance, contrast ratio, and the least ratios of level AA.
  const luminance = (colour) => {
    const linear = colour.slice(0, 3).map((x) => x / 255)
      .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const least = (style) => {
    const size = parseFloat(style.fontSize);
    return size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
  };

  const found = new Set();
  const name = (e) => `${e.localName}.${[...e.classList].join(".")}`;

  if (document.documentElement.scrollWidth > width) {
    found.add(`the page is ${document.documentElement.scrollWidth} wide`);
  }
  const scrolls = (e) => getComputedStyle(e).overflowX !== "visible";
  const fixed = (e) => getComputedStyle(e).position === "fixed";
  for (const e of document.body.querySelectorAll("*")) {
    const box = e.getBoundingClientRect();
    if (!box.width || box.right <= width + 1 || [...ancestors(e)].some(fixed)) continue;
    const inside = [...ancestors(e.parentElement)]
      .some((x) => scrolls(x) && x.getBoundingClientRect().right <= width + 1);
    if (!inside) found.add(`${name(e)} reaches to ${Math.round(box.right)}`);
  }

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode, e = text.parentElement;
    if (!text.data.trim() || e.closest("script, style, noscript, svg")) continue;
    if (!e.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    const below = background(e);
    if (!below) continue;
    const style = getComputedStyle(e), colour = numbers(style.color);
    for (const x of ancestors(e)) colour[3] *= getComputedStyle(x).opacity;
    const ratio = contrast(over(colour, below), below);
    if (ratio < least(style)) {
      const text_of_it = JSON.stringify(text.data.trim().slice(0, 30));
      found.add(`${name(e)} ${text_of_it} has a contrast of ${ratio.toFixed(2)}`);
    }
  }

  for (const image of document.images) {
    if (!image.complete || !image.naturalWidth) found.add(`${image.src} is no picture`);
  }
  return [...found];
}
