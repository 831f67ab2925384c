import { once } from 'node:events';
import { createServer } from 'node:net';
import { listenersInUse } from '../config/listener-kinds.ts';
import type { Config, Listener } from '../config/schema.ts';
import { type Finding, findingsAbout } from './finding.ts';

const finding = findingsAbout('ports');

/** Tries to listen on every configured address. */
export async function checkPorts(config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  const listeners = listenersInUse(config).flatMap(({ addresses }) => addresses);
  for (const listener of listeners) findings.push(await checkPort(listener));
  return findings;
}

async function checkPort({ host, port, optional }: Listener): Promise<Finding> {
  const server = createServer();
  try {
    server.listen({ host, port });
    await once(server, 'listening');
    return finding('ok', `${host} port ${port} is free.`);
  } catch (error) {
    return finding(optional ? 'warning' : 'error', `${host} port ${port} cannot be used: ${reason(error)}.`);
  } finally {
    server.close();
  }
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'another program listens there';
  if (code === 'EACCES') return 'this user may not use it (ports below 1024 need CAP_NET_BIND_SERVICE)';
  if (code === 'EADDRNOTAVAIL') return 'this machine does not have the address';
  return String(code ?? error);
}
