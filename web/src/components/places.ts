/** The places of the page that one can go to, and how the focus gets there. */

/** The first of each that is there takes the focus. */
export const PLACES = {
  answer: [".answer"],
  paste: [".paste textarea"],
  question: [".question input"],
  matrix: [".matrix [tabindex='0']", ".matrix"],
  rules: [".map form input", ".map"],
  panel: [".panels [role=tab][aria-selected=true]"],
} as const;

export type Place = keyof typeof PLACES;

export function goTo(place: Place): void {
  const element = PLACES[place]
    .map((selector) => document.querySelector<HTMLElement>(selector))
    .find((found) => found !== null);
  element?.focus();
  element?.scrollIntoView({ block: "nearest" });
}
