/** Fragments that clients keep for themselves, by the qualified name of their root (XEP-0049 §3). */
export interface PrivateXmlStore {
  get(owner: string, name: string, ns: string): Promise<string | undefined>;
  /** Rejects with `quota` if all fragments of the owner together would have more than `maxBytes`. */
  set(owner: string, name: string, ns: string, xml: string, maxBytes: number): Promise<void>;
}
