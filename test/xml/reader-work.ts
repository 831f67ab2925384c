// A thread of its own, in which the reader is compiled while its work is counted: it answers each message with the work.
import { isMainThread, parentPort } from 'node:worker_threads';
import { WorkCounter } from './work-counter.ts';

/** A stream to read. */
export interface Task {
  readonly text: string;
  /** Whether each byte comes in a chunk of its own. */
  readonly bytewise: boolean;
}

const header = Buffer.from("<s xmlns='u'>");

async function serve(port: NonNullable<typeof parentPort>): Promise<void> {
  const counter = new WorkCounter((url) => url.includes('/src/xml/'));
  counter.start();
  const { StreamReader } = await import('../../src/xml/stream-reader.ts');
  const { unlimited } = await import('../../src/xml/xml-limits.ts');
  const { bytewise } = await import('./reading.ts');
  port.on('message', ({ text, bytewise: inBytes }: Task) => {
    const bytes = Buffer.from(text);
    const chunks = inBytes ? [...bytewise(bytes)] : [bytes];
    let frames = 0;
    const reader = new StreamReader({ header() {}, frame: () => frames++, end() {} }, unlimited);
    reader.push(header);
    const work = counter.of(() => {
      for (const chunk of chunks) reader.push(chunk);
    });
    port.postMessage({ frames, work });
  });
}

if (!isMainThread && parentPort) await serve(parentPort);
