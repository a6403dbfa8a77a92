#!/usr/bin/env node
// The compiler that forge runs: solc's WebAssembly build behind the arguments of the native one.
//
// forge asks for `--version` and then sends standard JSON on stdin; it also passes paths that this
// program has no use for, because forge puts the text of every source into the JSON. A source that
// is missing there is read from the working directory, which forge sets to the contracts' folder.
"use strict";

const fs = require("node:fs");
const solc = require("solc");

function readSource(path) {
  try {
    return { contents: fs.readFileSync(path, "utf8") };
  } catch (error) {
    return { error: `${path}: ${error.message}` };
  }
}

function main(options) {
  if (options.includes("--version") || options.includes("-V")) {
    // "0.8.37+commit.….Emscripten.clang" as the native compiler writes it: forge parses line two.
    process.stdout.write(`solc, the solidity compiler\nVersion: ${solc.version()}\n`);
    return 0;
  }
  if (!options.includes("--standard-json")) {
    process.stderr.write("solc_json.js: only --version and --standard-json are supported\n");
    return 2;
  }
  const input = fs.readFileSync(0, "utf8");
  process.stdout.write(solc.compile(input, { import: readSource }));
  return 0;
}

process.exitCode = main(process.argv.slice(2));
