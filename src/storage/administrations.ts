/** Something that an operator has done, or was refused. Contains no contents of messages and no passwords. */
export interface NewAdministration {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** The name of a user of the machine, or a JID. */
  readonly operator: string;
  /** The way in which the operator has asked, such as `command line`. */
  readonly origin: string;
  /** The method and path of the operation. */
  readonly operation: string;
  /** The address or name that the operation is about. */
  readonly subject?: string | undefined;
  /** `done`, with some operations more about what was done, or the reason of the refusal. */
  readonly result: string;
}

/** A stored administration. */
export interface Administration extends NewAdministration {
  /** Larger than the ids of all earlier administrations. */
  readonly id: number;
}

/** Which administrations to list: all that fit what is given, the latest first. */
export interface AdministrationQuery {
  /** They have smaller ids. */
  readonly beforeId?: number | undefined;
  readonly sinceMs?: number | undefined;
  readonly operator?: string | undefined;
  readonly subject?: string | undefined;
  readonly limit: number;
}

/** The audit log. */
export interface AdministrationStore {
  /** Adds one, and removes those before `keepFromMs`. */
  add(administration: NewAdministration, keepFromMs: number): Promise<void>;
  list(query: AdministrationQuery): Promise<Administration[]>;
}
