/** Prints what other programs said about it when a test has failed. */
export function printsIfFailed(said: () => string | undefined): void {
  afterEach(function () {
    if (this.currentTest?.state === 'failed') console.log(said());
  });
}
