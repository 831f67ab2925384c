import type { ConnectionOptions } from 'node:tls';
import type { z } from 'zod';
import type { configSchema } from '../../src/config/schema.ts';
import type { ExtensionDeps, ExtensionOptions } from '../../src/extensions/index.ts';
import type { Extension } from '../../src/routing/extension.ts';
import type { Service } from '../../src/routing/service.ts';
import type { Clock } from '../../src/support/clock.ts';
import type { DiskSpace } from '../../src/support/disk-space.ts';
import type { ConnectionTarget } from './test-connection.ts';

/** Keys of the configuration file, as an operator would write them. */
export type Settings = z.input<ReturnType<typeof configSchema>>;

/** What a test asks of the server it talks to. */
export interface TestServerOptions {
  /** Domains served; `localhost` unless given. */
  readonly domains?: readonly string[];
  readonly settings?: Settings;
  readonly clock?: Clock;
  /** How much room there is on the disk, for the server to believe. */
  readonly diskSpace?: () => DiskSpace;
  /** What the server complains of because the test wants it to; Ampere only. */
  readonly complaint?: string;
  /** What answers for further domains in the process of the server. */
  readonly services?: readonly Service[];
  /** Another list of extensions; Ampere only. */
  readonly extensions?: (deps: ExtensionDeps) => readonly Extension<ExtensionOptions>[];
}

/** A server for conversations: Ampere in this process, or a reference server that runs the same tests. */
export interface TestServer {
  readonly domains: readonly string[];
  /** Where clients connect and may start TLS. */
  readonly c2s: ConnectionTarget;
  /** Where TLS comes first. */
  readonly c2sTls: ConnectionTarget;
  /** Where components connect; there must be some in the settings. */
  readonly components: ConnectionTarget;
  /** Where HTTP is served, if the settings say so; Ampere only. */
  readonly http?: ConnectionTarget;
  /** The same with TLS. */
  readonly https?: ConnectionTarget;
  /** The certificate authority that clients trust. */
  readonly trust: ConnectionOptions;
  addUser(jid: string, password: string): Promise<void>;
  /** Stops as an operator would and starts again with the same data. */
  restart(): Promise<void>;
  /** Stops; rejects if the server complained of itself, or if its log holds a secret. */
  stop(): Promise<void>;
}

/** Starts a server for conversations; the reference server when `AMPERE_TEST_SERVER=prosody`. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  if (process.env['AMPERE_TEST_SERVER'] === 'prosody') {
    const { startReferenceServer } = await import('./reference-server.ts');
    return startReferenceServer(options);
  }
  const { startInProcessServer } = await import('./in-process-server.ts');
  return startInProcessServer(options);
}
