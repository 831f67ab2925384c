/** The accounts' vCards (XEP-0054 §3), as serialised XML. */
export interface VcardStore {
  get(owner: string): Promise<string | undefined>;
  set(owner: string, xml: string): Promise<void>;
}
