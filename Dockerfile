# Both programs: /usher, the operator (the default), and /mediaserver, the media server.
#   docker build -t usher --build-arg VERSION="$(cat internal/version/VERSION)" .
#   docker run --rm -p 3000:3000 -v media:/media:ro -v data:/data --entrypoint /mediaserver usher \
#     --listen 0.0.0.0:3000 --data /data --media-root /media
# `make image` builds the same without Docker, for amd64 and arm64 (a test holds the two together).
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY api api
COPY cmd cmd
COPY internal internal
COPY hack hack
ARG VERSION=dev
ARG TARGETPLATFORM=linux/amd64
RUN go run ./hack/image --stage /out --platform "$TARGETPLATFORM" --version "$VERSION"

FROM scratch
ARG VERSION=dev
COPY --from=build /out/etc /etc
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/tmp /tmp
COPY --from=build /out/usher /out/mediaserver /
ENV PATH=/
LABEL org.opencontainers.image.title="usher" \
      org.opencontainers.image.description="Access-as-code for self-hosted media servers: the operator and the embedded media server" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["/usher"]
