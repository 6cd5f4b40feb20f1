# syntax=docker/dockerfile:1
# One image for all functions: FUNCTION_TARGET names the one that an instance is, PORT where it listens
# (the framework's default is 8080).
# What is Debian's in it, deploy/image/ says; what is ours, tools/packImage.ts. `node tools/imageCheck.ts`
# puts the same together without Docker and runs it.

# The Node that package-lock.json has for tests and tools as well; tools/imageFiles.test.ts compares.
ARG NODE_VERSION=24.21.0
ARG DEBIAN_RELEASE=trixie

FROM node:${NODE_VERSION}-${DEBIAN_RELEASE}-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
# Nothing that is installed here needs a script of its own to be run.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY convex convex
COPY shared shared
COPY functions functions
COPY tools/build.ts tools/packImage.ts tools/
RUN node tools/packImage.ts /app
COPY tools/compileImage.ts tools/startUp.ts tools/
COPY deploy/image/compile.sh deploy/image/
# Copies are as private as what they were made of, and the account of instances reads these below.
RUN chmod -R go=rX package.json functions shared tools deploy

FROM debian:${DEBIAN_RELEASE}-slim
# Another value has Debian's packages installed anew, and with them what was mended since.
ARG PACKAGES_AS_OF=unknown
RUN --mount=type=bind,source=deploy/image,target=/tmp/image \
  echo "Debian's packages as of ${PACKAGES_AS_OF}" && sh /tmp/image/install.sh
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app /app
WORKDIR /app
ENV NODE_ENV=production \
  NODE_COMPILE_CACHE=/app/compiled \
  FUNCTION_SOURCE=/app/functions/main.mjs
RUN --mount=type=bind,from=build,source=/src,target=/src \
  sh /src/deploy/image/compile.sh node node_modules/@google-cloud/functions-framework/build/src/main.js
USER 10001:10001
EXPOSE 8080
# Node itself is the first process, so that Cloud Run's SIGTERM reaches it.
CMD ["node", "node_modules/@google-cloud/functions-framework/build/src/main.js"]
