import type { PortableRoom, PortableRoomMessage } from '../../groupchat/portable-room.ts';
import { configuredRoom, type RoomConfig } from '../../protocol/muc/room-config.ts';

/** A room in a file or directory, or the problem that prevents its import. */
export interface FoundRoom {
  /** Its address. */
  readonly place: string;
  readonly room?: PortableRoom | undefined;
  /** The messages of its archive behind those that the room itself has, oldest first. */
  readonly messages?: AsyncIterable<PortableRoomMessage> | undefined;
  readonly problem?: string | undefined;
  /** What the import leaves out. */
  readonly losses: readonly string[];
}

/** The configuration with another value of a field of the form. Throws `not-acceptable`. */
export function withOption(
  config: RoomConfig,
  field: string,
  ...values: readonly (string | number | boolean)[]
): RoomConfig {
  const texts = values.map((value) => String(typeof value === 'boolean' ? Number(value) : value));
  return configuredRoom(config, new Map([[field, texts]]));
}
