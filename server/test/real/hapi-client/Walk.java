import ca.uhn.fhir.rest.api.EncodingEnum;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.api.PreferReturnEnum;
import ca.uhn.fhir.rest.api.SearchTotalModeEnum;
import ca.uhn.fhir.rest.api.SummaryEnum;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.param.StringParam;
import ca.uhn.fhir.rest.param.TokenParam;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import ca.uhn.fhir.rest.gclient.ICriterion;
import ca.uhn.fhir.rest.gclient.IQuery;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CapabilityStatement;
import org.hl7.fhir.r4.model.Enumerations.AdministrativeGender;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.IntegerType;
import org.hl7.fhir.r4.model.Observation;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Patient;
import org.hl7.fhir.r4.model.Reference;

/** java Walk BASE CA.pem OPENMRS.p12 LIMS.p12 xml|json|default: all that HAPI's client does with a registry, in one encoding. */
class Walk extends Registry {
  final IGenericClient openmrs;
  final IGenericClient lims;
  /** Begins every value of this run, so that runs do not meet. */
  final String run;

  Walk(String[] args) throws Exception {
    openmrs = client(args[0], args[2], args[1]);
    lims = client(args[0], args[3], args[1]);
    run = "walk-" + args[4];
    if (!args[4].equals("default")) {
      openmrs.setEncoding(EncodingEnum.valueOf(args[4].toUpperCase()));
      lims.setEncoding(EncodingEnum.valueOf(args[4].toUpperCase()));
    }
  }

  public static void main(String[] args) throws Exception {
    Walk walk = new Walk(args);
    walk.metadata();
    walk.write();
    walk.conditions();
    walk.search();
    walk.pages();
    walk.operations();
    walk.transaction();
    walk.merge();
    walk.delete();
    walk.batch();
    walk.failures();
  }

  Patient anna(String value) {
    return patient(OPENMRS, run + value, "Okello & Söhne <" + run + ">", "Anna", "1980-05-06");
  }

  Patient read(String id) {
    return openmrs.read().resource(Patient.class).withId(id).execute();
  }

  ICriterion<?> by(String value) {
    return Patient.IDENTIFIER.exactly().systemAndIdentifier(OPENMRS, run + value);
  }

  static String family(Object resource) {
    return resource == null ? "none" : ((Patient) resource).getNameFirstRep().getFamily();
  }

  void metadata() {
    CapabilityStatement statement = openmrs.capabilities().ofType(CapabilityStatement.class).execute();
    say("metadata", statement.getFhirVersion().toCode(), statement.getRestFirstRep().getResourceFirstRep().getType());
  }

  void write() {
    MethodOutcome created = openmrs.create().resource(anna("-1")).execute();
    String id = created.getId().getIdPart();
    say("create", created.getCreated(), created.getId().getVersionIdPart(), created.getResponseStatusCode(), family(created.getResource()));
    MethodOutcome minimal = openmrs.create().resource(anna("-2")).prefer(PreferReturnEnum.MINIMAL).execute();
    say("create, minimal", minimal.getCreated(), minimal.getId().hasIdPart(), family(minimal.getResource()));
    Patient patient = read(id);
    say("read", family(patient), patient.getBirthDateElement().getValueAsString(), patient.getMeta().getVersionId(), patient.getLink().size());
    patient.getNameFirstRep().setFamily("Nakato");
    MethodOutcome updated = openmrs.update().resource(patient).execute();
    say("update", updated.getCreated(), updated.getId().getIdPart().equals(id), updated.getId().getVersionIdPart(), family(updated.getResource()));
    Patient first = openmrs.read().resource(Patient.class).withIdAndVersion(id, "1").execute();
    say("vread", family(first).equals(family(created.getResource())), first.getMeta().getVersionId());
    Bundle history = openmrs.history().onInstance(new IdType("Patient", id)).returnBundle(Bundle.class).execute();
    say("history", history.getType().toCode(), history.getTotal(), family(history.getEntryFirstRep().getResource()), history.getEntryFirstRep().getRequest().getMethod());
    Bundle all = openmrs.history().onType(Patient.class).returnBundle(Bundle.class).count(1).execute();
    say("history of the type", all.getEntry().size(), all.getLink(Bundle.LINK_NEXT) != null);
  }

  void conditions() {
    Patient again = anna("-1");
    again.getNameFirstRep().setFamily("Nabirye");
    MethodOutcome put = openmrs.update().resource(again).conditional().where(by("-1")).execute();
    say("conditional update", put.getCreated(), put.getId().getVersionIdPart(), family(put.getResource()));
    MethodOutcome there = openmrs.create().resource(anna("-1")).conditional().where(by("-1")).execute();
    say("conditional create of one that is there", there.getCreated(), there.getId().getIdPart().equals(put.getId().getIdPart()), family(there.getResource()));
    MethodOutcome anew = openmrs.create().resource(anna("-3")).conditionalByUrl("Patient?identifier=" + OPENMRS + "%7C" + run + "-3").execute();
    say("conditional create", anew.getCreated(), anew.getId().getVersionIdPart());
    try {
      openmrs.read().resource(Patient.class).withId(put.getId().getIdPart()).ifVersionMatches(put.getId().getVersionIdPart()).throwNotModifiedException().execute();
      say("conditional read", "read again");
    } catch (BaseServerResponseException e) {
      say("conditional read", e.getClass().getSimpleName());
    }
  }

  Bundle find(ICriterion<?> first, ICriterion<?>... more) {
    IQuery<?> query = openmrs.search().forResource(Patient.class).where(first);
    for (ICriterion<?> one : more) query = query.and(one);
    return query.returnBundle(Bundle.class).execute();
  }

  void search() {
    Bundle one = find(by("-1"));
    String id = ids(one).get(0);
    say("search by identifier", one.getTotal(), one.getEntryFirstRep().getSearch().getMode().toCode(), one.getEntryFirstRep().getFullUrl().endsWith("/fhir/Patient/" + id));
    String other = ids(find(by("-2"))).get(0);
    say("search by ids", new TreeSet<>(ids(find(Patient.RES_ID.exactly().codes(id, other)))).equals(new TreeSet<>(List.of(id, other))));
    say("search by demographics", ids(find(Patient.FAMILY.matches().value("nabi"), Patient.GIVEN.matchesExactly().value("Anna"),
        Patient.BIRTHDATE.exactly().day("1980-05-06"), Patient.GENDER.exactly().code("female"), by("-1"))).equals(List.of(id)));
    say("search for nobody", find(Patient.FAMILY.matchesExactly().value("Nobody at all")).getTotal());
    Bundle linked = openmrs.search().forResource(Patient.class).where(by("-1")).include(Patient.INCLUDE_LINK).returnBundle(Bundle.class).execute();
    say("search with the person", linked.getTotal(), linked.getEntry().get(1).getSearch().getMode().toCode(),
        ("Patient/" + ids(linked).get(1)).equals(((Patient) linked.getEntryFirstRep().getResource()).getLinkFirstRep().getOther().getReference()));
    Bundle count = openmrs.search().forResource(Patient.class).where(by("-1")).summaryMode(SummaryEnum.COUNT).totalMode(SearchTotalModeEnum.ACCURATE).returnBundle(Bundle.class).execute();
    say("count", count.getTotal(), count.getEntry().size());
    Patient cut = openmrs.read().resource(Patient.class).withId(id).elementsSubset("birthDate").execute();
    say("elements", cut.getBirthDateElement().getValueAsString(), cut.getName().size(), cut.getMeta().getTag().stream().anyMatch(tag -> "SUBSETTED".equals(tag.getCode())));
  }

  void pages() {
    for (int n = 1; n <= 5; n += 1) openmrs.create().resource(patient(OPENMRS, run + "-page-" + n, "Page" + run, "N" + n, "197" + n + "-01-0" + n)).execute();
    Bundle page = openmrs.search().forResource(Patient.class).where(Patient.FAMILY.matches().value("Page" + run))
        .sort().descending(Patient.BIRTHDATE).count(2).returnBundle(Bundle.class).execute();
    List<String> seen = new ArrayList<>();
    int pages = 0;
    while (true) {
      pages += 1;
      for (Bundle.BundleEntryComponent entry : page.getEntry()) seen.add(((Patient) entry.getResource()).getNameFirstRep().getGivenAsSingleString());
      if (page.getLink(Bundle.LINK_NEXT) == null) break;
      page = openmrs.loadPage().next(page).execute();
    }
    say("pages", pages, String.join(",", seen));
  }

  void operations() {
    Patient there = anna("-lims");
    there.getIdentifierFirstRep().setSystem(LIMS);
    there.getNameFirstRep().setFamily("Nabirye");
    there.getTelecomFirstRep().setValue(anna("-1").getTelecomFirstRep().getValue());
    MethodOutcome elsewhere = lims.create().resource(there).execute();
    Parameters named = openmrs.operation().onType(Patient.class).named("$ihe-pix")
        .withSearchParameter(Parameters.class, "sourceIdentifier", new TokenParam(OPENMRS, run + "-1"))
        .andSearchParameter("targetSystem", new StringParam(LIMS)).useHttpGet().execute();
    say("$ihe-pix", named.getParameter().stream().map(p -> p.getName() + "=" + (p.getValue() instanceof Reference
        ? ((Reference) p.getValue()).getReference().equals("Patient/" + elsewhere.getId().getIdPart())
        : named.getParameterValues(p.getName()).size())).sorted().collect(Collectors.joining(" ")));
    Parameters posted = new Parameters();
    posted.addParameter("sourceIdentifier", OPENMRS + "|" + run + "-1");
    posted.addParameter("targetSystem", LIMS);
    Parameters answer = openmrs.operation().onType(Patient.class).named("$ihe-pix").withParameters(posted).execute();
    say("$ihe-pix by POST", answer.equalsDeep(named));
    Patient about = new Patient();
    about.setName(there.getName()).setTelecom(there.getTelecom()).setGender(there.getGender()).setBirthDateElement(there.getBirthDateElement());
    Parameters asked = new Parameters();
    asked.addParameter().setName("resource").setResource(about);
    asked.addParameter().setName("count").setValue(new IntegerType(3));
    Bundle match = openmrs.operation().onType(Patient.class).named("$match").withParameters(asked).returnResourceType(Bundle.class).execute();
    String cruid = read(ids(find(by("-1"))).get(0)).getLinkFirstRep().getOther().getReference();
    say("$match", match.getType().toCode(), match.getEntry().size(), cruid.equals("Patient/" + ids(match).get(0)),
        match.getEntryFirstRep().getSearch().getExtensionString("http://hl7.org/fhir/StructureDefinition/match-grade"));
  }

  Bundle.BundleEntryComponent entry(Patient patient, Bundle.HTTPVerb method, String url) {
    Bundle.BundleEntryComponent entry = new Bundle.BundleEntryComponent().setResource(patient);
    entry.getRequest().setMethod(method).setUrl(url);
    return entry;
  }

  void transaction() {
    Bundle bundle = new Bundle().setType(Bundle.BundleType.TRANSACTION);
    bundle.addEntry(entry(anna("-tx-1"), Bundle.HTTPVerb.POST, "Patient"));
    bundle.addEntry(entry(anna("-tx-2"), Bundle.HTTPVerb.PUT, "Patient?identifier=" + OPENMRS + "%7C" + run + "-tx-2"));
    Bundle done = openmrs.transaction().withBundle(bundle).execute();
    say("transaction", done.getType().toCode(), done.getEntry().stream().map(e -> e.getResponse().getStatus()).collect(Collectors.joining(",")),
        read(new IdType(done.getEntryFirstRep().getResponse().getLocation()).getIdPart()).getIdentifierFirstRep().getValue());
    Patient nameless = anna("-tx-4");
    nameless.getIdentifier().clear();
    bundle.addEntry(entry(nameless, Bundle.HTTPVerb.POST, "Patient"));
    bundle.getEntryFirstRep().setResource(anna("-tx-3"));
    failing("transaction with a bad entry", () -> openmrs.transaction().withBundle(bundle).execute());
    say("and nothing of it is there", find(by("-tx-3")).getTotal());
  }

  void merge() {
    Patient old = patient(OPENMRS, run + "-old", "Auma" + run, "Rose", "1961-02-03");
    String oldId = openmrs.create().resource(old).execute().getId().getIdPart();
    String newId = openmrs.create().resource(patient(OPENMRS, run + "-new", "Kato" + run, "Jude", "1999-11-12")).execute().getId().getIdPart();
    old.setActive(false);
    old.addLink().setType(Patient.LinkType.REPLACEDBY).getOther().getIdentifier().setSystem(OPENMRS).setValue(run + "-new");
    MethodOutcome merged = openmrs.update().resource(old).conditional().where(by("-old")).execute();
    Patient reread = read(oldId);
    say("merge", merged.getId().getIdPart().equals(oldId), reread.getActive(), reread.getLinkFirstRep().getType().toCode(),
        reread.getLinkFirstRep().getOther().getReference().equals("Patient/" + newId));
    say("search of the merged one", ids(find(by("-old"))).equals(List.of(oldId, newId)));
  }

  void delete() {
    String id = ids(find(by("-2"))).get(0);
    MethodOutcome deleted = openmrs.delete().resourceById("Patient", id).execute();
    say("delete", deleted.getResponseStatusCode());
    failing("read of a deleted one", () -> read(id));
    say("conditional delete", openmrs.delete().resourceConditionalByType(Patient.class).where(by("-3")).execute().getResponseStatusCode(), find(by("-3")).getTotal());
  }

  interface Request {
    Object send();
  }

  /** The exception, the status, and of the first issue in its OperationOutcome the severity, the code and the element. */
  static void failing(String claim, Request request) {
    try {
      request.send();
      say(claim, "no exception");
    } catch (BaseServerResponseException e) {
      OperationOutcome outcome = (OperationOutcome) e.getOperationOutcome();
      OperationOutcome.OperationOutcomeIssueComponent issue = outcome.getIssueFirstRep();
      String where = issue.hasExpression() ? issue.getExpression().get(0).getValue() : "-";
      say(claim, e.getClass().getSimpleName(), e.getStatusCode(), issue.getSeverity().toCode(), issue.getCode().toCode(), where);
    }
  }

  void batch() {
    Patient nameless = anna("-batch-2");
    nameless.getIdentifier().clear();
    Bundle bundle = new Bundle().setType(Bundle.BundleType.BATCH);
    bundle.addEntry(entry(anna("-batch-1"), Bundle.HTTPVerb.POST, "Patient"));
    bundle.addEntry(entry(nameless, Bundle.HTTPVerb.POST, "Patient"));
    Bundle answered = openmrs.transaction().withBundle(bundle).execute();
    Bundle.BundleEntryResponseComponent refused = answered.getEntry().get(1).getResponse();
    say("batch with a bad entry", answered.getEntry().get(0).getResponse().getStatus(), refused.getStatus(),
        ((OperationOutcome) refused.getOutcome()).getIssueFirstRep().getExpression().get(0).getValue());
  }

  void failures() {
    String id = ids(find(by("-1"))).get(0);
    failing("read of nobody", () -> read("nobody"));
    Patient stale = anna("-1");
    stale.setId(new IdType("Patient", id, "1"));
    failing("update of an old version", () -> openmrs.update().resource(stale).withId(new IdType("Patient", id, "1")).execute());
    Patient nameless = anna("-1");
    nameless.getIdentifier().clear();
    failing("a patient without an identifier", () -> openmrs.create().resource(nameless).execute());
    Patient contact = anna("-1");
    contact.addContact().setGender(AdministrativeGender.MALE);
    failing("a contact without a name", () -> openmrs.create().resource(contact).execute());
    Patient foreign = anna("-1");
    foreign.addIdentifier().setSystem(LIMS).setValue("1");
    failing("an identifier of another system", () -> openmrs.create().resource(foreign).execute());
    Patient both = anna("-1");
    both.addIdentifier().setSystem(OPENMRS).setValue(run + "-new");
    failing("identifiers of two records", () -> openmrs.create().resource(both).execute());
    failing("conditional update by a name", () -> openmrs.update().resource(anna("-1")).conditional().where(Patient.FAMILY.matches().value("x")).execute());
    failing("the golden record", () -> {
      Patient golden = anna("-1");
      golden.setId(read(id).getLinkFirstRep().getOther().getReferenceElement().getIdPart());
      return openmrs.update().resource(golden).execute();
    });
    failing("$ihe-pix of an unknown identifier", () -> openmrs.operation().onType(Patient.class).named("$ihe-pix")
        .withSearchParameter(Parameters.class, "sourceIdentifier", new TokenParam(OPENMRS, "nobody")).useHttpGet().execute());
    failing("another resource", () -> openmrs.read().resource(Observation.class).withId("1").execute());
  }
}
