// google.pubsub.v1.Subscriber: subscriptions, and taking messages from them.
import type { Broker } from "./broker.ts";
import { projectPrefix, subscriptionName } from "./names.ts";
import { page } from "./publisherService.ts";
import { modifyDeadline } from "./pull.ts";
import { RpcError } from "./rpcError.ts";
import {
  completeSubscription,
  type SubscriptionProto,
  updateSubscription as applyUpdate,
} from "./settings.ts";
import type { Store } from "./store.ts";

export interface SubscriptionHooks {
  /** A subscription was made or changed, and may push now or push no more. */
  changed(proto: SubscriptionProto): void;
  removed(name: string): void;
}

export const subscriberService = (store: Store, broker: Broker, hooks: SubscriptionHooks) => {
  const existing = (name: string) => {
    const subscription = store.subscription(subscriptionName(name));
    if (!subscription) throw new RpcError("NOT_FOUND", `Subscription does not exist: ${name}`);
    return subscription;
  };

  const save = (proto: SubscriptionProto): SubscriptionProto => {
    store.updateSubscription(proto);
    broker.refresh(proto);
    hooks.changed(proto);
    return proto;
  };

  return {
    createSubscription(request: SubscriptionProto) {
      const proto = completeSubscription(request);
      if (store.subscription(proto.name)) {
        throw new RpcError("ALREADY_EXISTS", `Subscription already exists: ${proto.name}`);
      }
      if (!store.topic(proto.topic)) {
        throw new RpcError("NOT_FOUND", `Topic not found: ${proto.topic}`);
      }
      store.insertSubscription(proto);
      hooks.changed(proto);
      return proto;
    },

    getSubscription: ({ subscription }: { subscription: string }) => existing(subscription).proto,

    updateSubscription(request: {
      subscription: SubscriptionProto;
      updateMask: { paths: string[] } | null;
    }) {
      const { proto } = existing(request.subscription.name);
      return save(applyUpdate(proto, request.subscription, request.updateMask?.paths ?? []));
    },

    modifyPushConfig(request: {
      subscription: string;
      pushConfig: SubscriptionProto["pushConfig"];
    }) {
      const { proto } = existing(request.subscription);
      save(
        applyUpdate(proto, { ...proto, pushConfig: request.pushConfig ?? null }, ["pushConfig"]),
      );
      return {};
    },

    listSubscriptions(request: { project: string; pageSize: number; pageToken: string }) {
      const prefix = projectPrefix(request.project, "subscriptions");
      const { items, nextPageToken } = page(request, (after, limit) =>
        store.subscriptions(prefix, after, limit),
      );
      return { subscriptions: items, nextPageToken };
    },

    deleteSubscription({ subscription }: { subscription: string }) {
      const { id } = existing(subscription);
      hooks.removed(subscription);
      store.deleteSubscription(id);
      broker.remove(subscription);
      return {};
    },

    acknowledge({ subscription, ackIds }: { subscription: string; ackIds: string[] }) {
      existing(subscription);
      for (const ackId of ackIds) broker.acknowledge(subscription, ackId);
      return {};
    },

    modifyAckDeadline(request: {
      subscription: string;
      ackIds: string[];
      ackDeadlineSeconds: number;
    }) {
      existing(request.subscription);
      for (const ackId of request.ackIds) {
        modifyDeadline(broker, request.subscription, ackId, request.ackDeadlineSeconds);
      }
      return {};
    },
  };
};
