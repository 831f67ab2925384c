/** Random keys of this installation. */
export interface SecretStore {
  /** The 32 random bytes of this name, made when first asked for and the same ever after. */
  get(name: string): Promise<Buffer>;
}
