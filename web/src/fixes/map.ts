/** A scope map as it is before the change. */

export interface WholeMap {
  readonly name: string;
  readonly description: string;
  /** The name of the registry, when it is known. */
  readonly registry: string | null;
  readonly actions: readonly string[];
}
