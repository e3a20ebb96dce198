// node compile.mjs PYODIDE.mjs TEXT.zip COMPILED.zip: Python files as the byte code of this Pyodide.
import {readFile, writeFile} from "node:fs/promises";
import {resolve} from "node:path";

const [runtime, text, out] = process.argv.slice(2).map(path => resolve(path));
const {loadPyodide} = await import(runtime);
const python = await loadPyodide();
python.FS.writeFile("/text.zip", await readFile(text));
python.runPython(`
import io, marshal, zipfile
from importlib.util import MAGIC_NUMBER

UNCHECKED = MAGIC_NUMBER + bytes([1, 0, 0, 0]) + bytes(8)  # no source whose date could be asked for
with zipfile.ZipFile("/text.zip") as text, zipfile.ZipFile("/out.zip", "w") as out:
    for name in text.namelist():
        data = text.read(name)
        if name.endswith(".py"):
            code = compile(data, name, "exec", dont_inherit=True)
            name, data = name + "c", UNCHECKED + marshal.dumps(code)
        out.writestr(zipfile.ZipInfo(name), data)
`);
await writeFile(out, python.FS.readFile("/out.zip"));
