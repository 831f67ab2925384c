/** The JIDs that an account has blocked (XEP-0191 §3); `AccountStore.load` reads them. */
export interface BlocklistStore {
  add(owner: string, jids: readonly string[]): Promise<void>;
  remove(owner: string, jids: readonly string[]): Promise<void>;
  clear(owner: string): Promise<void>;
}
