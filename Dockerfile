# Both programs: /usher, the operator (the default), and /mediaserver, the media server.
#   docker build -t usher .
#   docker run --rm -p 3000:3000 -v media:/media:ro -v data:/data --entrypoint /mediaserver usher \
#     --listen 0.0.0.0:3000 --data /data --media-root /media
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY api api
COPY cmd cmd
COPY internal internal
# Neither program needs C: SQLite is pure Go.
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/ ./cmd/usher ./cmd/mediaserver
# What an image without a distribution needs: certificates, and a home for data that is not root's.
RUN mkdir -p /out/data /out/tmp && chmod 1777 /out/tmp && chown 65532:65532 /out/data \
    && printf 'nonroot:x:65532:65532:nonroot:/data:/sbin/nologin\n' > /out/passwd

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/passwd /etc/passwd
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/tmp /tmp
COPY --from=build /out/usher /out/mediaserver /
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["/usher"]
