/** The accounts' vCards (XEP-0054 §3), as serialized XML. */
export interface VcardStore {
  get(owner: string): Promise<string | undefined>;
  /** The vCard if there may be an image in it; cheap for others. */
  getWithImage(owner: string): Promise<string | undefined>;
  set(owner: string, xml: string): Promise<void>;
}
