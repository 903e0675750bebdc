// Makes and shows passkeys; every place for one stays hidden in browsers that know none.

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function send(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok || answer.redirected) throw new Error(said.fault || "That did not work. Load the page again.");
  return said;
}

async function make(place) {
  const options = await send(place.dataset.options, {});
  options.challenge = toBytes(options.challenge);
  options.user.id = toBytes(options.user.id);
  for (const known of options.excludeCredentials) known.id = toBytes(known.id);
  const made = await navigator.credentials.create({ publicKey: options });
  const response = {
    clientDataJSON: toText(made.response.clientDataJSON),
    attestationObject: toText(made.response.attestationObject),
    transports: made.response.getTransports?.() ?? [],
  };
  return { credential: told(made, response), name: place.elements.name.value };
}

async function show(place) {
  const options = await send(place.dataset.options, {});
  options.challenge = toBytes(options.challenge);
  options.allowCredentials = [];
  const shown = await navigator.credentials.get({ publicKey: options });
  const { clientDataJSON, authenticatorData, signature, userHandle } = shown.response;
  return {
    credential: told(shown, {
      clientDataJSON: toText(clientDataJSON),
      authenticatorData: toText(authenticatorData),
      signature: toText(signature),
      userHandle: userHandle ? toText(userHandle) : null,
    }),
  };
}

function told(key, response) {
  return { id: key.id, rawId: toText(key.rawId), type: key.type, clientExtensionResults: {}, response };
}

async function run(place, step) {
  const [button, fault] = [place.querySelector("button"), place.querySelector(".fault")];
  button.disabled = true;
  fault.hidden = true;
  try {
    const body = await step(place);
    const { to } = await send(place.dataset.answer, { ...body, next: place.dataset.next });
    location.assign(to);
  } catch (error) {
    const left = ["NotAllowedError", "AbortError"].includes(error.name);
    const known = error.name === "InvalidStateError";
    fault.textContent = left
      ? "No passkey was shown. Try again."
      : known
        ? "This device has a passkey for your account already."
        : error.message;
    fault.hidden = false;
    button.disabled = false;
  }
}

if (window.PublicKeyCredential) {
  for (const place of document.querySelectorAll("[data-passkey=show]")) {
    place.querySelector("button").addEventListener("click", () => run(place, show));
    place.hidden = false;
  }
  for (const place of document.querySelectorAll("[data-passkey=make]")) {
    place.addEventListener("submit", (event) => {
      event.preventDefault();
      run(place, make);
    });
    place.hidden = false;
  }
  for (const words of document.querySelectorAll("[data-passkey=none]")) words.hidden = true;
}
