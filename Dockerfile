# syntax=docker/dockerfile:1
# Teal as one static program on nothing: no shell, no library, no user database.
#   docker build -t registry.example/teal:0.1.0 .
#
# The C library is glibc, linked in. Since 2.34 (bookworm has 2.36) it looks names up without loading anything at run time, which is what
# a static program in an empty image needs.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
ENV RUSTFLAGS="-C target-feature=+crt-static"

# Dependencies in a layer of their own: they are built for empty crates, and again only when Cargo.lock or a Cargo.toml changes. The target
# is named, because otherwise RUSTFLAGS would be for procedural macros as well, which cannot be static.
COPY Cargo.toml Cargo.lock ./
COPY agent/Cargo.toml agent/
COPY agent/rollout/Cargo.toml agent/rollout/
COPY agent/testkit/Cargo.toml agent/testkit/
COPY sdk/Cargo.toml sdk/
RUN mkdir -p agent/src agent/rollout/src agent/testkit/src sdk/src sdk/benches \
    && echo 'fn main() {}' >agent/src/main.rs \
    # Cargo wants every target that is named to be there.
    && touch sdk/benches/evaluate.rs \
    && touch agent/src/lib.rs agent/rollout/src/lib.rs agent/testkit/src/lib.rs sdk/src/lib.rs \
    && cargo build --locked --release --package teal --bin teal --target "$(rustc -vV | sed -n 's/^host: //p')"

# What is ours. The empty crates were written later than the files that take their place: cargo goes by time.
COPY agent agent
COPY sdk sdk
COPY migrations migrations
COPY proxy-config proxy-config
# What `teal init` writes.
COPY examples/config examples/config
# For `teal --version`; without them it says that it does not know.
ARG TEAL_COMMIT="" TEAL_DATE=""
RUN touch agent/src/main.rs agent/src/lib.rs agent/rollout/src/lib.rs sdk/src/lib.rs \
    && cargo build --locked --release --package teal --bin teal --target "$(rustc -vV | sed -n 's/^host: //p')" \
    && cp target/*/release/teal /teal \
    # Not static is not finished: it would not start in an empty image.
    && if readelf --dynamic /teal | grep NEEDED; then echo '/teal is not static' >&2; exit 1; fi

FROM scratch
LABEL org.opencontainers.image.title="teal" \
      org.opencontainers.image.description="Blue-green releases that take themselves back: agent, edge, flags and operator CLI" \
      org.opencontainers.image.licenses="Apache-2.0"
# Authorities, for webhooks and for a flag service of a public name.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /teal /teal
# Numbers: runAsNonRoot has to see that it is not root, and there is no file of users.
USER 65532:65532
ENTRYPOINT ["/teal"]
CMD ["agent"]
