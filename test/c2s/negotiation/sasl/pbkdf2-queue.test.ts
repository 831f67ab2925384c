import { expect } from 'chai';
import { Pbkdf2Queue, Pbkdf2QueueFull } from '../../../../src/c2s/negotiation/sasl/pbkdf2-queue.ts';

/** Work that is done when the test says so. */
class Jobs {
  readonly started: number[] = [];
  readonly #finish = new Map<number, (error?: Error) => void>();

  job(number: number): () => Promise<number> {
    return () =>
      new Promise((resolve, reject) => {
        this.started.push(number);
        this.#finish.set(number, (error) => (error ? reject(error) : resolve(number)));
      });
  }

  async finish(number: number, error?: Error): Promise<void> {
    this.#finish.get(number)?.(error);
    await new Promise(setImmediate);
  }
}

describe('Pbkdf2Queue', () => {
  it('does at most so much at once, and the rest in order', async () => {
    const queue = new Pbkdf2Queue({ concurrency: 2, maxWaiting: 3 });
    const jobs = new Jobs();
    const results = [1, 2, 3, 4, 5].map((number) => queue.run(jobs.job(number)));
    await jobs.finish(0);
    expect(jobs.started).to.deep.equal([1, 2]);
    await jobs.finish(2);
    expect(jobs.started).to.deep.equal([1, 2, 3]);
    await jobs.finish(1);
    await jobs.finish(3);
    expect(jobs.started).to.deep.equal([1, 2, 3, 4, 5]);
    await jobs.finish(4);
    await jobs.finish(5);
    expect(await Promise.all(results)).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it('refuses at once what may not wait, and takes more once there is room', async () => {
    const queue = new Pbkdf2Queue({ concurrency: 1, maxWaiting: 1 });
    const jobs = new Jobs();
    const first = queue.run(jobs.job(1));
    const second = queue.run(jobs.job(2));
    const refused = await queue.run(jobs.job(3)).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Pbkdf2QueueFull);
    await jobs.finish(1);
    const fourth = queue.run(jobs.job(4));
    await jobs.finish(0);
    expect(jobs.started).to.deep.equal([1, 2]);
    await jobs.finish(2);
    await jobs.finish(4);
    expect(await Promise.all([first, second, fourth])).to.deep.equal([1, 2, 4]);
    expect(jobs.started).to.deep.equal([1, 2, 4]);
  });

  it('gives the place of failed work to the next', async () => {
    const queue = new Pbkdf2Queue({ concurrency: 1, maxWaiting: 1 });
    const jobs = new Jobs();
    const failed = queue.run(jobs.job(1)).catch((error: Error) => error.message);
    const next = queue.run(jobs.job(2));
    await jobs.finish(0);
    await jobs.finish(1, new Error('broken'));
    await jobs.finish(2);
    expect(await failed).to.equal('broken');
    expect(await next).to.equal(2);
  });
});
