/** Random keys of this installation. */
export interface SecretStore {
  /** The 32 random bytes of this name. The first call makes them; they never change. */
  get(name: string): Promise<Buffer>;
}
