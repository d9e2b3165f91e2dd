package manifests

import (
	"fmt"
	"strings"

	"github.com/usher-media/usher/api/v1alpha1"
	"github.com/usher-media/usher/internal/cli/importer"
)

const serverHead = `# The connection to the media server. In mode Observe, Usher writes nothing to it, and says in status.plan of each
# object what it would change. The Secret is not here: README.md says how to make it.

`

const librariesHead = `# The libraries, each named by the id that it has on the server (externalID).

`

const usersHead = `# The accounts. This file holds what is personal: names, and what people may see.
#
# adoptionPolicy Always lets Usher take over an account that is in use. Passwords stay as they are. Deleting a User here
# disables the account, unless deletionPolicy says Retain.

`

const grantsHead = `# Who sees what. People with the same libraries share the label group. Rename groups and grants as you like.

`

const kustomizeHead = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
`

const ignore = `# users.yaml is personal: it holds names, and what people may see. It belongs into a repository that only you can read.
# Secrets never belong into Git, unless they are encrypted (secret.sops.yaml).
*secret*.yaml
!secret.sops.yaml
*.env
*.age
`

// SecretCommand is the command that makes the Secret of a MediaServer's credentials. The password is typed, so that it is in no
// argument and in no history. The shell itself reads it: in a process substitution, which runs beside kubectl, it would have no
// terminal.
func SecretCommand(server v1alpha1.MediaServer) string { return secretCommand(server, "") }

// encrypted encrypts the Secret for Git.
const encrypted = ` \
  --dry-run=client -o yaml | sops encrypt --encrypted-regex '^(data|stringData)$' \
  --input-type yaml --output-type yaml --filename-override secret.sops.yaml /dev/stdin > secret.sops.yaml`

// secretCommand ends with what is to be done with the Secret instead of making it.
func secretCommand(server v1alpha1.MediaServer, instead string) string {
	return fmt.Sprintf("read -rsp 'Password: ' p; kubectl -n %s create secret generic %s \\\n  --from-literal=username=YOU --from-file=password=<(printf %%s \"$p\")%s; unset p",
		server.Namespace, server.Spec.Credentials.SecretRef.Name, instead)
}

// NextCommands are the three commands that come after an import into a folder.
func NextCommands(folder string, server v1alpha1.MediaServer) []string {
	return []string{
		fmt.Sprintf("kubectl create namespace %s", server.Namespace),
		SecretCommand(server),
		fmt.Sprintf("kubectl create --save-config -k %s", quote(folder)),
	}
}

// quote writes an argument as a shell reads it.
func quote(text string) string {
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-") == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

func readme(h importer.Household) string {
	var out strings.Builder
	name, namespace := h.Server.Name, h.Server.Namespace
	fmt.Fprintf(&out, "# %s\n\nWhat the media server %s has, as manifests for [Usher](https://github.com/usher-media/usher): %d libraries, %d users, %d grants.\n"+
		"Computed from these files, every account sees exactly what it sees on the server.\n\n", name, h.Server.Spec.URL, len(h.Libraries), len(h.Users), len(h.Grants))
	out.WriteString("## Next\n\nThese need a cluster with Usher in it, and bash:\n\n```\n")
	for _, command := range NextCommands(".", h.Server) {
		out.WriteString(command + "\n")
	}
	out.WriteString("```\n\nWith `YOU` as the administrator's username.")
	if h.Server.Spec.Database != nil {
		fmt.Fprintf(&out, " The Secret %s holds the database's `url` in the same way.", h.Server.Spec.Database.SecretRef.Name)
	}
	if h.Server.Spec.TLS != nil && h.Server.Spec.TLS.CASecretRef != nil {
		fmt.Fprintf(&out, " The Secret %s holds the certificates: `--from-file=ca.crt=FILE`.", h.Server.Spec.TLS.CASecretRef.Name)
	}
	fmt.Fprintf(&out, ` The last line refuses what is there already: a grant of an earlier import would be
replaced, and give the people of another server less. Take a namespace without objects of Usher's, or other names.

Usher then only observes. Look at what it would change, which should be nothing but taking over:

%[1]s
kubectl -n %[2]s get mediaserver,library,user,librarygrant
kubectl -n %[2]s get users -o custom-columns=NAME:.metadata.name,PLAN:.status.plan
%[1]s

Then let it act:

%[1]s
kubectl -n %[2]s patch mediaserver %[3]s --type=merge -p '{"spec":{"mode":"Enforce"}}'
%[1]s

and write `+"`mode: Enforce` into `mediaserver.yaml`"+`. To keep the Secret in Git, encrypt it with [SOPS](https://getsops.io):

%[1]s
%[4]s
%[1]s

Without a `+"`.sops.yaml`"+`, name your key, as `+"`--age`"+` does. Add the file to `+"`kustomization.yaml`"+`, under `+"`resources`"+`.

## Review

Comments with REVIEW deserve a look: administrators, who sees everything, and grants that take people who are declared later.
`, "```", namespace, name, secretCommand(h.Server, encrypted))
	out.WriteString("`users.yaml` is personal: it holds names, and what people may see. Keep it in a repository that only you can read.\n")
	if len(h.Exposed) > 0 {
		fmt.Fprintf(&out, "\n%d accounts see more than they were given, by a hole of their server; mode Enforce closes it: %s.\n", len(h.Exposed), strings.Join(h.Exposed, ", "))
	}
	out.WriteString(leftOut(h.LeftOut))
	return out.String()
}

// leftOut lists what no manifest declares. Of personal libraries, which everybody may have, it says how many there are.
func leftOut(all []importer.LeftOut) string {
	var out strings.Builder
	personal := 0
	for _, left := range all {
		if left.Personal {
			personal++
			continue
		}
		fmt.Fprintf(&out, "- %s `%s`: %s\n", left.Kind, printable(left.Name), left.Reason)
	}
	if personal > 0 {
		fmt.Fprintf(&out, "- personal libraries, which Usher never touches: %d\n", personal)
	}
	if out.Len() == 0 {
		return ""
	}
	return "\n## Left out\n\nNo manifest declares these, and Usher leaves them as they are:\n\n" + out.String()
}

// printable is a name from a server without what would be read as Markdown or end the line.
func printable(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '`' {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(name, "?"))
	if runes := []rune(name); len(runes) > 64 {
		name = string(runes[:64]) + "..."
	}
	return name
}
