/** What to check when a registry has refused a login, in the order in which it is the cause. */

import { For, type JSX } from "solid-js";
import { CopyButton } from "./Code";

export function LoginChecks(props: { registry: string; token: string }): JSX.Element {
  const registry = () => named(props.registry, "$REGISTRY");
  const token = () => named(props.token, "$TOKEN");
  const checks = () => [
    {
      about: "Is the token enabled, and does it have a valid password? Paste the output here.",
      command: `az acr token show --name ${token()} --registry ${registry()} -o json`,
    },
    {
      about: "Log in again with the token's name and that password.",
      command: `docker login ${registry()}.azurecr.io --username ${token()}`,
    },
    {
      about: "In Kubernetes: does the image pull secret in the pod's namespace name this registry and this token?",
      command:
        "kubectl get secret $SECRET --namespace $NAMESPACE -o jsonpath='{.data.\\.dockerconfigjson}' | base64 -d",
    },
  ];
  return (
    <ol class="checks">
      <For each={checks()}>
        {({ about, command }) => (
          <li>
            {about}
            <div class="row">
              <code class="break">{command}</code>
              <CopyButton text={command} label={`the command ${command.split(" ").slice(0, 4).join(" ")}`} />
            </div>
          </li>
        )}
      </For>
    </ol>
  );
}

/** A name as it may be put into a command; anything that a shell reads is left to the reader. */
export function named(name: string, placeholder: string): string {
  return /^[\w][\w.-]*$/.test(name) ? name : placeholder;
}
