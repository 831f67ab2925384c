import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems give to connections going out, which would take one before its owner listens. */
const lowest = 10_000;
const count = 20_000;
let next = Math.floor(Math.random() * count);

/** A port that was free a moment ago and was not given to anybody before, for what must be known by others before it listens. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < count; tries++) {
    const port = lowest + (next++ % count);
    if (await isFree(port)) return port;
  }
  throw new Error('there is no free port');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
