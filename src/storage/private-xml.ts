/** Fragments that clients store, by the qualified name of their root (XEP-0049 §3). */
export interface PrivateXmlStore {
  get(owner: string, name: string, ns: string): Promise<string | undefined>;
  /** Rejects with `quota` if the fragments of the owner would exceed `maxBytes` in total. */
  set(owner: string, name: string, ns: string, xml: string, maxBytes: number): Promise<void>;
}
