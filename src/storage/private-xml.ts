/** A fragment that a client stores, with the qualified name of its root. */
export interface PrivateFragment {
  readonly name: string;
  readonly ns: string;
  readonly xml: string;
}

/** Fragments that clients store, by the qualified name of their root (XEP-0049 §3). */
export interface PrivateXmlStore {
  /** All fragments of an owner, in the order of their names. */
  all(owner: string): Promise<PrivateFragment[]>;
  get(owner: string, name: string, ns: string): Promise<string | undefined>;
  /** Rejects with `quota` if the fragments of the owner would exceed `maxBytes` in total. */
  set(owner: string, name: string, ns: string, xml: string, maxBytes: number): Promise<void>;
}
