// Keeps the keyboard's focus in an element that is moved when rows change their order: browsers take it away.

import { useLayoutEffect } from "preact/hooks";

export function useKeepFocus(): void {
  const before = document.activeElement;
  useLayoutEffect(() => {
    if (before instanceof HTMLElement && before !== document.body && before.isConnected && document.activeElement === document.body) before.focus({ preventScroll: true });
  });
}
