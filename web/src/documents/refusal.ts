/** Why a text is no document, thrown inside this folder and caught at its door. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly position: number,
  ) {
    super(message);
  }
}
