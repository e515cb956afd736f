// Gives the program Node's environment: getenv() sees an empty one otherwise. GoogleTest takes every output of
// this runtime for a terminal, so it is told about colours here.
Module.preRun = [].concat(Module.preRun || [], () => {
  ENV.GTEST_COLOR = process.stdout.isTTY ? "auto" : "no";
  Object.assign(ENV, process.env);
});
