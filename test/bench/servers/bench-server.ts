import type { Place } from '../place.ts';

/** How a server is started. */
export interface Launch {
  readonly command: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
}

/** What a case needs of a server. */
export interface Setup {
  readonly cores: number;
  /** Whether messages are archived, in the fastest local store that the server offers. */
  readonly archive: boolean;
  /** Whether there are rooms at `conference.` in front of the domain (XEP-0045). */
  readonly rooms: boolean;
  /** Whether clients connect by WebSocket, at `/xmpp-websocket` over TLS. */
  readonly webSocket: boolean;
}

/** One of the servers compared. */
export interface BenchServer {
  readonly name: string;
  readonly title: string;
  /** What it is, however it is set up: whose data it can use. */
  readonly product: string;
  /** It forwards bytes and speaks no XMPP. */
  readonly raw: boolean;
  /** Its version; undefined: it is not installed. */
  version(): Promise<string | undefined>;
  /** Names what the seeded data depend on besides the accounts. */
  seedKey(): Promise<string>;
  /** Writes the data directory with all accounts. */
  seed(place: Place): Promise<void>;
  /** Writes the configuration; the server is not started yet. */
  launch(place: Place, setup: Setup): Promise<Launch>;
}
