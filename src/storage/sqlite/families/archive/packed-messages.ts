import type { ArchivedMessage, NewArchivedMessage } from '../../../archive.ts';
import { asBuffer } from '../../bytes.ts';

/** A new message as the storage thread reads it. */
export interface UnpackedMessage {
  readonly id: number;
  /** 0 for none. */
  readonly senderArchive: number;
  readonly senderPeer: string;
  readonly recipientArchive: number;
  readonly recipientPeer: string;
  readonly bytes: Uint8Array;
}

/** Numbers before the text and the bytes of each message: id, two archives, and the lengths of two peers and of the bytes. */
const numbersOfMessage = 6;

/** Joins messages in one buffer, which travels between threads as fast as a single one. */
export function packMessages(messages: readonly NewArchivedMessage[]): Uint8Array {
  const headBytes = messages.length * numbersOfMessage * 8;
  let size = headBytes;
  for (const { sender, recipient, bytes } of messages) size += lengthOf(sender) + lengthOf(recipient) + bytes.length;
  const packed = Buffer.from(new ArrayBuffer(size));
  const numbers = new Float64Array(packed.buffer, 0, messages.length * numbersOfMessage);
  let [number, at] = [0, headBytes];
  for (const { id, sender, recipient, bytes } of messages) {
    const senderLength = sender ? packed.write(sender.peer, at) : 0;
    at += senderLength;
    const recipientLength = recipient ? packed.write(recipient.peer, at) : 0;
    at += recipientLength;
    at += bytes.copy(packed, at);
    numbers.set(
      [id, sender?.archive ?? 0, recipient?.archive ?? 0, senderLength, recipientLength, bytes.length],
      number,
    );
    number += numbersOfMessage;
  }
  return new Uint8Array(packed.buffer);
}

function lengthOf(end: NewArchivedMessage['sender']): number {
  return end ? Buffer.byteLength(end.peer) : 0;
}

/** The messages in a buffer, which was made by {@link packMessages} for `count` of them. */
export function* unpackMessages({ buffer }: Uint8Array, count: number): Generator<UnpackedMessage> {
  const numbers = new Float64Array(buffer, 0, count * numbersOfMessage);
  const packed = Buffer.from(buffer);
  let at = numbers.byteLength;
  for (let first = 0; first < numbers.length; first += numbersOfMessage) {
    const [senderLength, recipientLength, length] = [numbers[first + 3]!, numbers[first + 4]!, numbers[first + 5]!];
    const senderPeer = packed.toString('utf8', at, at + senderLength);
    at += senderLength;
    const recipientPeer = packed.toString('utf8', at, at + recipientLength);
    at += recipientLength;
    const bytes = packed.subarray(at, at + length);
    at += length;
    const [id, senderArchive, recipientArchive] = [numbers[first]!, numbers[first + 1]!, numbers[first + 2]!];
    yield { id, senderArchive, senderPeer, recipientArchive, recipientPeer, bytes };
  }
}

/** Messages of an archive on their way from the storage thread. */
export interface FoundMessages {
  /** The id of each message, and the length of its bytes. */
  readonly numbers: Float64Array;
  /** The bytes of all of them: one large buffer travels faster than many small ones. */
  readonly bytes: Uint8Array;
  /** The id with which each was imported, if some of them were. */
  readonly importedIds: readonly (string | undefined)[] | undefined;
}

export function packFound(messages: readonly ArchivedMessage[]): FoundMessages {
  const numbers = new Float64Array(messages.length * 2);
  const bytes = new Uint8Array(messages.reduce((size, message) => size + message.bytes.length, 0));
  let at = 0;
  for (const [index, message] of messages.entries()) {
    numbers[2 * index] = message.id;
    numbers[2 * index + 1] = message.bytes.length;
    bytes.set(message.bytes, at);
    at += message.bytes.length;
  }
  const areImported = messages.some(({ importedId }) => importedId !== undefined);
  return { numbers, bytes, importedIds: areImported ? messages.map(({ importedId }) => importedId) : undefined };
}

export function unpackFound({ numbers, bytes, importedIds }: FoundMessages): ArchivedMessage[] {
  const all = asBuffer(bytes);
  const messages: ArchivedMessage[] = [];
  let at = 0;
  for (let number = 0; number < numbers.length; number += 2) {
    const [id, length] = [numbers[number]!, numbers[number + 1]!];
    const importedId = importedIds?.[number / 2];
    const own = all.subarray(at, at + length);
    messages.push(importedId === undefined ? { id, bytes: own } : { id, importedId, bytes: own });
    at += length;
  }
  return messages;
}
