import type { NewArchivedMessage } from '../../../archive.ts';

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
