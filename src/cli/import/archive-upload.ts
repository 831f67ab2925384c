import type { ImportedArchive } from '../../web/control/import-operations.ts';
import type { PortableArchivedMessage } from '../../web/control/portable-account.ts';

/** Limits of one request. */
const mostMessages = 500;
const mostCharacters = 1024 * 1024;

/** Sends messages of the archive of an account; returns nothing if they are not wanted. */
export type SendArchived = (
  jid: string,
  messages: readonly PortableArchivedMessage[],
  begun: ImportedArchive | undefined,
) => Promise<ImportedArchive | undefined>;

/** Sends the archive of one account, many messages at a time, before the account itself is created. */
export class ArchiveUpload {
  readonly #jid: string;
  readonly #send: SendArchived;
  #messages: PortableArchivedMessage[] = [];
  #characters = 0;
  #begun: ImportedArchive | undefined;
  #unwanted = false;

  constructor(jid: string, send: SendArchived) {
    this.#jid = jid;
    this.#send = send;
  }

  /** Adds a message, which must not be older than the ones before. */
  async add(message: PortableArchivedMessage): Promise<void> {
    if (this.#unwanted) return;
    this.#messages.push(message);
    this.#characters += message.xml.length;
    if (this.#messages.length >= mostMessages || this.#characters >= mostCharacters) await this.#flush();
  }

  /** The number of the archive; nothing if it is empty, or if the account exists. */
  async finish(): Promise<number | undefined> {
    await this.#flush();
    return this.#begun?.archive;
  }

  async #flush(): Promise<void> {
    if (this.#messages.length === 0) return;
    const messages = this.#messages;
    [this.#messages, this.#characters] = [[], 0];
    this.#begun = await this.#send(this.#jid, messages, this.#begun);
    this.#unwanted = this.#begun === undefined;
  }
}
