import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import {
  type PortableRoom,
  type PortableRoomMessage,
  portableRoomMessageSchema,
  portableRoomSchema,
  roomFileHeader,
} from '../../groupchat/portable-room.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import type { FoundRoom } from './found-room.ts';

const { format, version } = roomFileHeader;
const headerSchema = z.strictObject({ format: z.literal(format), version: z.literal(version) });
const lineSchema = z.union([
  z.strictObject({ room: portableRoomSchema }),
  z.strictObject({ message: portableRoomMessageSchema }),
]);

const beginning = JSON.stringify({ format });

/** Whether a file looks like one that `room export` has written. */
export async function isRoomExport(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(beginning.length - 1) });
    return buffer.subarray(0, bytesRead).toString() === beginning.slice(0, -1);
  } finally {
    await file.close();
  }
}

/** The rooms in a file that `room export` has written. The messages of a room are read from the file when they are asked for. */
export async function* exportedRooms(path: string): AsyncGenerator<FoundRoom> {
  const lines = new RoomFileLines(path);
  try {
    for (let room = await lines.room(); room; room = await lines.room())
      yield { place: room.room, room, messages: lines.messages(), losses: [] };
  } finally {
    lines.close();
  }
}

/** Reads such a file line by line. A line that cannot be read is an error, because the lines below may belong to it. */
class RoomFileLines {
  readonly #reader;
  readonly #lines: AsyncIterator<string>;
  #number = 0;
  /** A room whose line was read behind the messages of the room before. */
  #next: PortableRoom | undefined;

  constructor(path: string) {
    this.#reader = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** The next room. Passes over messages of the room before that nobody has asked for. */
  async room(): Promise<PortableRoom | undefined> {
    let passed: PortableRoomMessage | undefined;
    do passed = await this.#message();
    while (passed);
    const room = this.#next;
    this.#next = undefined;
    return room;
  }

  /** The messages of the last room. */
  async *messages(): AsyncGenerator<PortableRoomMessage> {
    for (let message = await this.#message(); message; message = await this.#message()) yield message;
  }

  close(): void {
    this.#reader.close();
  }

  async #message(): Promise<PortableRoomMessage | undefined> {
    if (this.#next) return undefined;
    if (this.#number === 0) this.#read(headerSchema, (await this.#line()) ?? '');
    const text = await this.#line();
    const line = text === undefined ? undefined : this.#read(lineSchema, text);
    if (line && 'room' in line) this.#next = line.room;
    return line && 'message' in line ? line.message : undefined;
  }

  async #line(): Promise<string | undefined> {
    const { done, value } = await this.#lines.next();
    this.#number += 1;
    return done ? undefined : value;
  }

  #read<T>(schema: z.ZodType<T>, text: string): T {
    try {
      return schema.parse(JSON.parse(text));
    } catch (error) {
      const message = `Line ${this.#number} is not one that "room export" writes.`;
      throw new CommandError(exitCodes.failed, message, { cause: error });
    }
  }
}
