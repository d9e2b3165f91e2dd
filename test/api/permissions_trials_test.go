package api

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/usher-media/usher/api/v1alpha1"
)

// trials holds a change for each line of the table in docs/permissions.md.
var trials = map[string]trial{
	"any kind: labels, finalizers and ownerReferences more than 32 KiB together":                                     {change: withLabels(300)},
	"any kind: annotations more than 64 KiB; with the manifest that `kubectl apply` keeps in one, more than 224 KiB": {change: withAnnotation("example.org/note", 65<<10)},
	"MediaServer: creation":                                  {create: true},
	"MediaServer: spec.type":                                 {after: `{type: Dubby}`},
	"MediaServer: spec.url":                                  {after: `{url: "http://elsewhere"}`},
	"MediaServer: spec.credentials.secretRef":                {after: `{credentials: {secretRef: {name: mine}}}`},
	"MediaServer: spec.database.secretRef":                   {before: `{type: Alcoves}`, after: `{database: {secretRef: {name: mine}}}`},
	"MediaServer: spec.tls.caSecretRef":                      {before: `{url: "https://home"}`, after: `{tls: {caSecretRef: {name: mine}}}`},
	"MediaServer: spec.tls.insecureSkipVerify":               {before: `{url: "https://home"}`, after: `{tls: {insecureSkipVerify: true}}`},
	"MediaServer: spec.publicURL":                            {after: `{publicURL: "https://elsewhere"}`},
	"MediaServer: spec.registration":                         {after: `{registration: Open}`},
	"MediaServer: spec.mode":                                 {after: `{mode: Observe}`},
	"MediaServer: spec.unmanagedAccess":                      {after: `{unmanagedAccess: Remove}`},
	"MediaServer: spec.bootstrap":                            {after: `{bootstrap: true}`},
	"MediaServer: spec.adoptionPolicy":                       {after: `{adoptionPolicy: Always}`},
	"MediaServer: spec.deletionPolicy":                       {after: `{deletionPolicy: Cascade}`},
	"MediaServer: spec.mediaRoots":                           {after: `{mediaRoots: [/]}`},
	"MediaServer: spec.syncInterval":                         {after: `{syncInterval: 1m}`},
	"MediaServer: usher.media/paused":                        {change: annotated("usher.media/paused")},
	"MediaServer: usher.media/reconcile-now":                 {change: annotated("usher.media/reconcile-now")},
	"MediaServer: usher.media/proceed":                       {change: annotated("usher.media/proceed")},
	"MediaServer: usher.media/accept-server-identity":        {change: annotated("usher.media/accept-server-identity")},
	"MediaServer: usher.media/distinct-server":               {change: annotated("usher.media/distinct-server")},
	"MediaServer: usher.media/accept-objects-before":         {change: annotated("usher.media/accept-objects-before")},
	"MediaServer: usher.media/accept-key":                    {change: annotated("usher.media/accept-key")},
	"MediaServer: any other usher.media/ annotation":         {change: annotated("usher.media/new")},
	"MediaServer: ownerReferences":                           {change: owned},
	"MediaServer: finalizers added":                          {change: finalized("example.org/hold")},
	"MediaServer: finalizers of others removed":              {prepare: finalized("example.org/hold"), change: finalized()},
	"MediaServer: deletion":                                  {delete: true},
	"MediaServer: labels":                                    {change: labelled},
	"User: creation":                                         {create: true, before: `{role: Editor, adoptionPolicy: IfDisabled}`},
	"User: spec.serverRef":                                   {after: `{serverRef: {name: cabin}}`},
	"User: spec.username":                                    {after: `{username: leo}`},
	"User: spec.email of an ordinary User":                   {after: `{email: mia@example.org}`},
	"User: spec.displayName of an ordinary User":             {after: `{displayName: Mia}`},
	"User: spec.disabled of an ordinary User":                {after: `{disabled: true}`},
	"User: spec.expiresAt of an ordinary User":               {after: `{expiresAt: "2030-01-01T00:00:00Z"}`},
	"User: spec.deletionPolicy of an ordinary User":          {after: `{deletionPolicy: Delete}`},
	"User: spec.password.requireChange of an ordinary User":  {after: `{password: {requireChange: true}}`},
	"User: spec.password.chosenByHolder of an ordinary User": {after: `{password: {chosenByHolder: true}}`},
	"User: spec.role Editor, Member, Guest or a role of the server's own, before and after":         {after: `{role: Editor}`},
	"User: spec.role Owner or Admin, before or after":                                               {before: `{role: Admin}`, after: `{role: Member}`},
	"User: spec.access All, before or after":                                                        {after: `{access: All}`},
	"User: spec.adoptionPolicy Never or IfDisabled, before and after":                               {before: `{adoptionPolicy: Never}`, after: `{adoptionPolicy: IfDisabled}`},
	"User: spec.adoptionPolicy Always, before or after":                                             {after: `{adoptionPolicy: Always}`},
	"User: creation under the MediaServer's Always":                                                 {create: true, taking: true},
	"User: spec.adoptionPolicy under the MediaServer's Always":                                      {taking: true, before: `{adoptionPolicy: IfDisabled}`, after: `{adoptionPolicy: null}`},
	"User: spec.email under the MediaServer's Always":                                               {taking: true, after: `{email: mia@example.org}`},
	"User: spec.password.secretRef of an ordinary User":                                             {after: `{password: {secretRef: {name: mine}}}`},
	"User: spec.password.secretRef of an Owner or Admin":                                            {before: `{role: Admin}`, after: `{password: {secretRef: {name: mine}}}`},
	"User: any other field of a User with role Owner or Admin, access All or adoptionPolicy Always": {before: `{access: All}`, after: `{disabled: true}`},
	"User: usher.media/paused of an ordinary User":                                                  {change: annotated("usher.media/paused")},
	"User: usher.media/paused of an Owner or Admin, or one that sees All":                           {before: `{role: Admin}`, change: annotated("usher.media/paused")},
	"User: usher.media/reconcile-now of an ordinary User":                                           {change: annotated("usher.media/reconcile-now")},
	"User: usher.media/reconcile-now of an Owner or Admin, or one that sees All":                    {before: `{role: Admin}`, change: annotated("usher.media/reconcile-now")},
	"User: usher.media/rotate-password of an ordinary User":                                         {change: annotated("usher.media/rotate-password")},
	"User: usher.media/rotate-password of an Owner or Admin, or one that sees All":                  {before: `{role: Admin}`, change: annotated("usher.media/rotate-password")},
	"User: usher.media/confirm-id":                                                                  {change: annotated("usher.media/confirm-id")},
	"User: usher.media/forget-id":                                                                   {change: annotated("usher.media/forget-id")},
	"User: any other usher.media/ annotation":                                                       {change: annotated("usher.media/new")},
	"User: ownerReferences of an ordinary User":                                                     {change: owned},
	"User: ownerReferences of an Owner or Admin, or one that sees All":                              {before: `{role: Owner}`, change: owned},
	"User: finalizers added of an ordinary User":                                                    {change: finalized("example.org/hold")},
	"User: finalizers added of an Owner or Admin, or one that sees All":                             {before: `{access: All}`, change: finalized("example.org/hold")},
	"User: deletion of an ordinary User":                                                            {delete: true},
	"User: deletion of an Owner or Admin, or one that sees All":                                     {before: `{access: All}`, delete: true},
	"User: labels": {before: `{role: Admin}`, change: labelled},
	"Library: creation with paths below the mediaRoots of its MediaServer": {create: true},
	"Library: spec.serverRef":                                     {after: `{serverRef: {name: cabin}}`},
	"Library: spec.mediaType":                                     {after: `{mediaType: Shows}`},
	"Library: spec.displayName":                                   {after: `{displayName: Films}`},
	"Library: spec.deletionPolicy":                                {after: `{deletionPolicy: Delete}`},
	"Library: spec.embedded":                                      {after: `{embedded: {emoji: x}}`},
	"Library: spec.alcoves":                                       {after: `{alcoves: {emoji: x}}`},
	"Library: spec.shisho":                                        {after: `{shisho: {organizeFiles: false}}`},
	"Library: spec.audiobookshelf":                                {after: `{audiobookshelf: {icon: books-1}}`},
	"Library: spec.displayName with adoptionPolicy IfUnique":      {before: `{adoptionPolicy: IfUnique}`, after: `{displayName: Private}`},
	"Library: spec.paths below the mediaRoots of its MediaServer": {after: `{paths: [/media/films]}`},
	"Library: spec.paths elsewhere":                               {after: `{paths: [/media/films, /media-private]}`},
	"Library: spec.externalID":                                    {after: `{externalID: lib-1}`},
	"Library: spec.adoptionPolicy Never":                          {after: `{adoptionPolicy: Never}`},
	"Library: spec.adoptionPolicy IfUnique":                       {after: `{adoptionPolicy: IfUnique}`},
	"Library: creation under the MediaServer's Always":            {create: true, taking: true},
	"Library: spec.adoptionPolicy under the MediaServer's Always": {taking: true, before: `{adoptionPolicy: Never}`, after: `{adoptionPolicy: null}`},
	"Library: spec.displayName under the MediaServer's Always":    {taking: true, after: `{displayName: Private}`},
	"Library: usher.media/paused":                                 {change: annotated("usher.media/paused")},
	"Library: usher.media/reconcile-now":                          {change: annotated("usher.media/reconcile-now")},
	"Library: usher.media/confirm-id":                             {change: annotated("usher.media/confirm-id")},
	"Library: usher.media/forget-id":                              {change: annotated("usher.media/forget-id")},
	"Library: usher.media/allow-paths":                            {change: annotated("usher.media/allow-paths")},
	"Library: any other usher.media/ annotation":                  {change: annotated("usher.media/new")},
	"Library: deletion":                                           {delete: true},
	"LibraryGrant: creation":                                      {create: true},
	"LibraryGrant: spec.libraries with role Viewer":               {after: `{libraries: {all: true, refs: null}}`},
	"LibraryGrant: spec.users with role Viewer":                   {after: `{users: {all: null, refs: [{name: mia}]}}`},
	"LibraryGrant: spec.notBefore with role Viewer":               {after: `{notBefore: "2030-01-01T00:00:00Z"}`},
	"LibraryGrant: spec.notAfter with role Viewer":                {after: `{notAfter: "2030-01-01T00:00:00Z"}`},
	"LibraryGrant: spec.includeInvited with role Viewer":          {after: `{includeInvited: true}`},
	"LibraryGrant: spec.disabled with role Viewer":                {after: `{disabled: true}`},
	"LibraryGrant: spec.role Admin, before or after":              {after: `{role: Admin}`},
	"LibraryGrant: any other field with role Admin":               {before: `{role: Admin}`, after: `{users: {all: null, refs: [{name: mia}]}}`},
	"LibraryGrant: usher.media/paused":                            {change: annotated("usher.media/paused")},
	"LibraryGrant: usher.media/reconcile-now":                     {change: annotated("usher.media/reconcile-now")},
	"LibraryGrant: any other usher.media/ annotation":             {change: annotated("usher.media/new")},
	"LibraryGrant: deletion":                                      {delete: true},
	"Invite: creation":                                            {create: true},
	"Invite: spec.offers[].serverRef":                             {after: `{offers: {serverRef: {name: cabin}}}`},
	"Invite: spec.delivery":                                       {after: `{delivery: Native}`},
	"Invite: spec.offers[].libraries with libraryRole Viewer":     {after: `{offers: {libraries: {all: true}}}`},
	"Invite: spec.offers[].role with libraryRole Viewer":          {after: `{offers: {role: Editor}}`},
	"Invite: spec.maxUses with libraryRole Viewer":                {after: `{maxUses: 2}`},
	"Invite: spec.expiresAt with libraryRole Viewer":              {after: `{expiresAt: "2030-01-01T00:00:00Z"}`},
	"Invite: spec.revoked with libraryRole Viewer":                {after: `{revoked: true}`},
	"Invite: spec.inviter with libraryRole Viewer":                {after: `{inviter: {displayName: Bob}}`},
	"Invite: spec.email with libraryRole Viewer":                  {after: `{email: mia@example.org}`},
	"Invite: spec.welcome with libraryRole Viewer":                {after: `{welcome: Hello}`},
	"Invite: spec.account with libraryRole Viewer":                {after: `{account: {labels: {group: kids}}}`},
	"Invite: spec.offers[].libraryRole Admin, before or after":    {after: `{offers: {libraryRole: Admin}}`},
	"Invite: any other field with libraryRole Admin":              {before: `{offers: {libraryRole: Admin}}`, after: `{maxUses: 2}`},
	"Invite: usher.media/paused":                                  {change: annotated("usher.media/paused")},
	"Invite: usher.media/reconcile-now":                           {change: annotated("usher.media/reconcile-now")},
	"Invite: any other usher.media/ annotation":                   {change: annotated("usher.media/new")},
	"Invite: deletion":                                            {delete: true},
	"any kind: usher.media/owned":                                 {change: annotated("usher.media/owned")},
	"any kind: usher.media/finalizer removed":                     {prepare: held, change: released},
}

func annotated(key string) func(*unstructured.Unstructured) {
	return func(object *unstructured.Unstructured) { object.SetAnnotations(map[string]string{key: "true"}) }
}

func labelled(object *unstructured.Unstructured) {
	object.SetLabels(map[string]string{"group": "kids"})
}

func owned(object *unstructured.Unstructured) {
	object.SetOwnerReferences([]metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: "owner"}})
}

func finalized(by ...string) func(*unstructured.Unstructured) {
	return func(object *unstructured.Unstructured) { object.SetFinalizers(by) }
}

// held lets Usher's finalizer and another hold an object; released leaves the other.
func held(object *unstructured.Unstructured) {
	object.SetFinalizers([]string{v1alpha1.Finalizer, "example.org/hold"})
}

func released(object *unstructured.Unstructured) { object.SetFinalizers([]string{"example.org/hold"}) }
