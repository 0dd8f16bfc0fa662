#!/bin/sh
# Makes the kubeconfig by which the agent on the HAProxy box reaches one namespace as teal-controller. Run it where kubectl is an admin's:
#   sh kubeconfig.sh physioflow-prod ./teal
#   scp teal/* root@edge:/etc/teal/ && ssh root@edge chown root:teal /etc/teal/kubeconfig /etc/teal/token
# Run again and copy `token` before the old one ends: the agent reads it for each request, and needs no restart. The token is bound to a
# Secret: deleting that, `kubectl -n NAMESPACE delete secret teal-controller-kubeconfig`, ends every token made here at once.
set -eu

namespace=${1:-}
out=${2:-.}
# The API server may allow less, and then says so in the token; 90 days by default.
duration=${TEAL_TOKEN_DURATION:-2160h}
if [ -z "$namespace" ]; then
    echo 'usage: kubeconfig.sh NAMESPACE [FOLDER]' >&2
    exit 2
fi

bound=teal-controller-kubeconfig
kubectl -n "$namespace" get secret "$bound" >/dev/null 2>&1 || kubectl -n "$namespace" create secret generic "$bound" >/dev/null
server=$(kubectl config view --minify --raw -o 'jsonpath={.clusters[0].cluster.server}')
authority=$(kubectl config view --minify --raw -o 'jsonpath={.clusters[0].cluster.certificate-authority-data}')
if [ -z "$server" ] || [ -z "$authority" ]; then
    echo "this kubectl's context has no server, or its authority is in a file: kubectl config view --minify --flatten shows it" >&2
    exit 1
fi

# For the agent's group, which `chown root:teal` gives them, and never for others, not even while they are written.
umask 027
mkdir -p "$out"
kubectl -n "$namespace" create token teal-controller --duration "$duration" \
    --bound-object-kind Secret --bound-object-name "$bound" >"$out/token.new"
cat >"$out/kubeconfig" <<KUBECONFIG
apiVersion: v1
kind: Config
current-context: teal
clusters:
- name: cluster
  cluster:
    server: $server
    certificate-authority-data: $authority
users:
- name: teal-controller
  user:
    tokenFile: token
contexts:
- name: teal
  context:
    cluster: cluster
    user: teal-controller
    namespace: $namespace
KUBECONFIG
mv "$out/token.new" "$out/token"
echo "$out/kubeconfig and $out/token are teal-controller's in $namespace, for $duration at most"
