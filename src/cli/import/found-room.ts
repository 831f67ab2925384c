import { configuredRoom, type RoomConfig } from '../../protocol/muc/room-config.ts';
import type { PortableRoom } from '../../web/control/room-import.ts';

/** A room that another server has stored, or the problem that prevents its import. */
export interface FoundRoom {
  /** Its address. */
  readonly place: string;
  readonly room?: PortableRoom | undefined;
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
