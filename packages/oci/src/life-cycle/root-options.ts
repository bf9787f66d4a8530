/** Where containers are kept. */
export interface RootOptions {
  /** The directory in which their states are. @default `/run/ctr-oci` for root, `$XDG_RUNTIME_DIR/ctr-oci` for others */
  readonly root?: string;
}
