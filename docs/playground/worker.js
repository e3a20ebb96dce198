// Python in a thread of its own. The page's first message has its files, each later one a question.
// build.py puts Pyodide's two scripts, with `loadPyodide` and `_createPyodideModule`, in front.
const HOME = "https://playground.invalid/"; // never asked: the files are here
let answer;

async function start(files) {
  const TYPES = {wasm: "application/wasm", json: "application/json", zip: "application/zip"};
  self.fetch = async url => {
    const name = String(url.url ?? url).replace(HOME, "");
    if (!(name in files)) throw new TypeError(`the playground loads nothing: ${name}`);
    const type = TYPES[name.split(".").pop()];
    return new Response(files[name], {headers: {"Content-Type": type}});
  };
  const python = await loadPyodide({
    indexURL: HOME,
    createPyodideModule: _createPyodideModule,
    lockFileContents: new TextDecoder().decode(files["pyodide-lock.json"]),
    packageBaseUrl: HOME,
  });
  python.unpackArchive(files["packages.zip"], "zip");
  answer = python.pyimport("answers").answer;
}

let ready;
self.onmessage = async ({data}) => {
  if (data.files) {
    ready = start(data.files);
    return ready.then(() => postMessage({ready: true}), error => postMessage({broken: String(error)}));
  }
  await ready;
  try {
    postMessage({number: data.number, text: answer(JSON.stringify(data.question))});
  } catch (error) {
    postMessage({number: data.number, text: JSON.stringify({wrong: `a fault of the page: ${error}`})});
  }
};
