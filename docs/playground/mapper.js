// yosys in a thread of its own: the page's first message has its files, each later one a design.
// build.py puts yosys behind it, with `runYosys`; HOME is where it believes its files to be.
const HOME = "https://playground.invalid/";
let files;

self.fetch = async url => {
  const type = {headers: {"Content-Type": "application/wasm"}};
  return new Response(files[String(url.url ?? url).replace(HOME, "")] ?? "", type); // FPGAs: nothing
};

self.onmessage = async ({data}) => {
  if (data.files) {
    files = data.files;
    return postMessage({ready: true});
  }
  const said = [];
  const decoder = new TextDecoder();
  const hear = bytes => bytes && said.push(decoder.decode(bytes, {stream: true}));
  try {
    const made = await runYosys(["-q", "recipe.ys"], data.question[1], {stdout: hear, stderr: hear});
    postMessage({number: data.number, text: JSON.stringify({is: JSON.parse(made["stat.json"])})});
  } catch (error) {
    const why = said.join("").trim().split("\n").pop() || String(error);
    postMessage({number: data.number, text: JSON.stringify({wrong: `yosys: ${why}`})});
  }
};
