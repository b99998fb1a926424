// Asks the API for JSON. Failures become an Error whose message can be shown.

const TIMEOUT = 5000; // milliseconds

async function get(path) {
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, { signal: AbortSignal.timeout(TIMEOUT) });
  } catch {
    throw new Error("The web role does not answer.");
  }
  if (response.status === 401) {
    location.assign("/login");
    throw new Error("You are logged out.");
  }
  let body;
  try {
    body = await response.json();
  } catch {
    throw new Error(`The web role answers with status ${response.status}.`);
  }
  return { ok: response.ok, status: response.status, body };
}

async function good(path) {
  const { ok, body } = await get(path);
  if (!ok) throw new Error(body.error);
  return body;
}

export const about = () => good("about");
export const ratio = (window) => good(`auth/ratio?by=service&window=${window}`);
export const attackers = (window) => good(`attackers?window=${window}`);

/** The health check; its body is the answer whatever its status. */
export const health = async () => (await get("health")).body;

/** One address, or null when nothing is known of it in the window. */
export async function attacker(address, window) {
  const { ok, status, body } = await get(`attackers/${encodeURIComponent(address)}?window=${window}`);
  if (status === 404) return null;
  if (!ok) throw new Error(body.error);
  return body;
}
