// Drives gloox by the line protocol of client-process.ts.
#include <gloox/amp.h>
#include <gloox/client.h>
#include <gloox/connectionlistener.h>
#include <gloox/delayeddelivery.h>
#include <gloox/disco.h>
#include <gloox/discohandler.h>
#include <gloox/error.h>
#include <gloox/message.h>
#include <gloox/messagehandler.h>
#include <gloox/presencehandler.h>
#include <gloox/rosteritem.h>
#include <gloox/rosterlistener.h>
#include <gloox/rostermanager.h>
#include <gloox/subscription.h>
#include <gloox/subscriptionhandler.h>
#include <gloox/tag.h>
#include <gloox/tlsdefault.h>
#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

using namespace gloox;
using Words = std::vector<std::string>;

static void say(const Words& words) {
  for (size_t i = 0; i < words.size(); i++) std::cout << (i ? "\t" : "") << words[i];
  std::cout << std::endl;
}

static const char* subscriptionName(SubscriptionType type) {
  switch (type) {
    case S10nTo: case S10nToIn: return "to";
    case S10nFrom: case S10nFromOut: return "from";
    case S10nBoth: return "both";
    default: return "none";
  }
}

// AMP looks for its rules from the root of the document on: it finds them only where it is the root.
class DetachedAmp : public AMP {
 public:
  DetachedAmp() : AMP() {}
  explicit DetachedAmp(const Tag* tag) : AMP(std::unique_ptr<Tag>(tag->clone()).get()) {}
  StanzaExtension* newInstance(const Tag* tag) const override { return new DetachedAmp(tag); }
};

class Driver : public ConnectionListener, MessageHandler, RosterListener, PresenceHandler, SubscriptionHandler, DiscoHandler {
 public:
  explicit Driver(Client& client) : client(client) {
    client.registerStanzaExtension(new DelayedDelivery());
    client.registerStanzaExtension(new DetachedAmp());
    client.registerConnectionListener(this);
    client.registerMessageHandler(this);
    client.registerPresenceHandler(this);
    client.registerSubscriptionHandler(this);
    client.rosterManager()->registerRosterListener(this, false);
  }

  bool connected = false;
  bool running = true;

  void obey(const Words& words) {
    const std::string& verb = words[0];
    if (verb == "message") client.send(Message(Message::Chat, JID(words[1]), words[2]));
    else if (verb == "rules") sendWithRules(words);
    else if (verb == "amp-features") client.disco()->getDiscoInfo(JID(words[1]), XMLNS_AMP, this, 0);
    else if (verb == "presence") client.setPresence(Presence::Away, 0, words[2]);
    else if (verb == "subscribe") client.send(Subscription(Subscription::Subscribe, JID(words[1])));
    else if (verb == "approve") client.rosterManager()->ackSubscriptionRequest(JID(words[1]), true);
    else if (verb == "roster-add") addContact(words);
    else if (verb == "roster") client.rosterManager()->fill();
    else if (verb == "quit") client.disconnect();
  }

 private:
  Client& client;

  void addContact(const Words& words) {
    client.rosterManager()->add(JID(words[1]), words[2], StringList(1, words[3]));
    client.rosterManager()->synchronize();
  }

  void sendWithRules(const Words& words) {
    Message message(Message::Chat, JID(words[1]), words[3]);
    message.setID(words[2]);
    AMP* amp = new AMP();
    for (size_t i = 4; i < words.size(); i++) {
      std::istringstream rule(words[i]);
      std::string action, condition, value;
      rule >> action >> condition >> value;
      amp->addRule(new AMP::Rule(condition, action, value));
    }
    message.addExtension(amp);
    client.send(message);
  }

  static Words rulesIn(const Tag& list) {
    Words rules;
    for (const Tag* rule : list.findChildren("rule"))
      rules.push_back(rule->findAttribute("action") + " " + rule->findAttribute("condition") + " " + rule->findAttribute("value"));
    return rules;
  }

  static void showReport(const Message& message, const AMP& amp) {
    const std::unique_ptr<Tag> tag(amp.tag());
    Words words{"report", tag->findAttribute("status"), message.id(), message.from().full()};
    for (const std::string& rule : rulesIn(*tag)) words.push_back(rule);
    say(words);
  }

  static void showError(const Message& message) {
    const std::unique_ptr<Tag> error(message.error()->tag());
    for (const char* list : {"failed-rules", "unsupported-actions", "unsupported-conditions", "invalid-rules"}) {
      const Tag* found = error->findChild(list);
      if (!found) continue;
      Words words{"amp-error", list, message.id(), error->children().front()->name()};
      for (const std::string& rule : rulesIn(*found)) words.push_back(rule);
      say(words);
    }
  }

  void onConnect() override {
    connected = true;
  }

  void onDisconnect(ConnectionError error) override {
    running = false;
    if (error == ConnAuthenticationFailed) say({"refused", client.authError() == SaslNotAuthorized ? "not-authorized" : "other"});
    else if (error != ConnTlsFailed) say({"closed"});
  }

  bool onTLSConnect(const CertInfo& certificate) override {
    const bool trusted = certificate.status == CertOk;
    if (!trusted) say({"untrusted", std::to_string(certificate.status)});
    return trusted;
  }

  void handleMessage(const Message& message, MessageSession*) override {
    const AMP* amp = message.findExtension<AMP>(ExtAMP);
    if (message.error()) showError(message);
    else if (message.body().empty() && amp) showReport(message, *amp);
    if (!message.body().empty()) say({"message", message.from().full(), message.body(), message.when() ? message.when()->stamp() : ""});
  }

  void handlePresence(const Presence& presence) override {
    const bool gone = presence.presence() == Presence::Unavailable;
    const char* show = presence.presence() == Presence::Away ? "away" : "";
    say({"presence", presence.from().full(), gone ? "unavailable" : "available", show, presence.status()});
  }

  void handleSubscription(const Subscription& subscription) override {
    static const char* const names[] = {"subscribe", "subscribed", "unsubscribe", "unsubscribed", "invalid"};
    say({"presence", subscription.from().full(), names[subscription.subtype()], "", ""});
  }

  void handleItemAdded(const JID& jid) override { push(jid); }
  void handleItemSubscribed(const JID& jid) override { push(jid); }
  void handleItemUpdated(const JID& jid) override { push(jid); }
  void handleItemUnsubscribed(const JID& jid) override { push(jid); }
  void handleItemRemoved(const JID& jid) override { say({"push", jid.bare(), "remove"}); }

  void push(const JID& jid) {
    const RosterItem* item = client.rosterManager()->getRosterItem(jid);
    say({"push", jid.bare(), item ? subscriptionName(item->subscription()) : "none"});
  }

  void handleRoster(const Roster& roster) override {
    static bool announced = false;
    if (!announced) say({"online", client.jid().full()});
    else for (const auto& [jid, item] : roster) say({"item", jid, item->name(), subscriptionName(item->subscription()), groups(*item)});
    if (announced) say({"roster-end"});
    announced = true;
  }

  static std::string groups(const RosterItem& item) {
    std::string joined;
    for (const std::string& group : item.groups()) joined += (joined.empty() ? "" : ",") + group;
    return joined;
  }

  void handleDiscoInfo(const JID&, const Disco::Info& info, int) override {
    for (const std::string& feature : info.features()) say({"feature", feature});
    say({"features-end"});
  }

  void handleDiscoItems(const JID&, const Disco::Items&, int) override {}
  void handleDiscoError(const JID&, const Error*, int) override { say({"features-end"}); }
  void handleRosterPresence(const RosterItem&, const std::string&, Presence::PresenceType, const std::string&) override {}
  void handleSelfPresence(const RosterItem&, const std::string&, Presence::PresenceType, const std::string&) override {}
  bool handleSubscriptionRequest(const JID&, const std::string&) override { return false; }
  bool handleUnsubscriptionRequest(const JID&, const std::string&) override { return false; }
  void handleNonrosterPresence(const Presence&) override {}
  void handleRosterError(const IQ&) override { say({"closed", "roster error"}); }
};

static bool readLine(std::string& line) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  char byte;
  while (poll(&input, 1, 0) > 0) {
    if (read(STDIN_FILENO, &byte, 1) != 1) exit(0);
    if (byte == '\n') return true;
    line += byte;
  }
  return false;
}

static Words split(const std::string& line) {
  Words words;
  std::istringstream stream(line);
  for (std::string word; std::getline(stream, word, '\t');) words.push_back(word);
  return words;
}

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  Client client(JID(std::string(argv[4]) + "/gloox"), argv[5]);
  client.setServer(argv[1]);
  client.setPort(atoi(argv[2]));
  client.setTls(TLSRequired);
  // Client::setCACerts() never reaches gloox's own TLS object, which would verify the host's address instead of the domain.
  TLSDefault* tls = new TLSDefault(&client, client.jid().server());
  tls->init();
  tls->setCACerts(StringList(1, argv[6]));
  client.setEncryptionImpl(tls);
  Driver driver(client);
  if (!client.connect(false)) return 0;
  std::string line;
  while (driver.running && client.recv(20000) == ConnNoError) {
    if (!driver.connected || !readLine(line)) continue;
    driver.obey(split(line));
    line.clear();
  }
  return 0;
}
