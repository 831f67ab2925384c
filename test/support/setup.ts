// Loaded by mocha before any test file: a promise nobody handles is a failed run, never a silent pass.
process.on('unhandledRejection', (reason) => {
  throw reason;
});
