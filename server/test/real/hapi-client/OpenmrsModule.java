import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.gclient.StringClientParam;
import ca.uhn.fhir.rest.param.StringParam;
import ca.uhn.fhir.rest.param.TokenParam;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.Identifier;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Patient;
import org.hl7.fhir.r4.model.Reference;
import org.hl7.fhir.r4.model.StringType;

/**
 * java OpenmrsModule BASE CA.pem OPENMRS.p12 LIMS.p12: what openmrs-module-clientregistry asks of a registry, in the order of a patient's
 * life, and what it reads of the answers: the resource of create and update, `targetId` of $ihe-pix, the Patients of a search.
 */
class OpenmrsModule extends Registry {
  static final String EXTENSION = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName";

  /** As the module's listener makes it of OpenMRS's patient: under OpenMRS's uuid, as `<identifier root>/<uuid>`. */
  static Patient patient(String uuid, String family) {
    Patient patient = patient(OPENMRS, "clinic7/" + uuid, family, "Grace", "1990-02-01");
    patient.getIdentifierFirstRep().setUse(Identifier.IdentifierUse.OFFICIAL);
    patient.addExtension(EXTENSION, new StringType("Namusoke"));
    patient.setId(new IdType("Patient", uuid));
    return patient;
  }

  static List<Patient> patients(Bundle bundle) {
    return bundle.getEntry().stream().filter(entry -> entry.getResource().hasType("Patient")).map(entry -> (Patient) entry.getResource()).collect(Collectors.toList());
  }

  /** `targetId` only; other parameters are ignored. */
  static List<Reference> targets(IGenericClient client, TokenParam source, String... systems) {
    Parameters answer = client.operation().onType("Patient").named("$ihe-pix").withSearchParameter(Parameters.class, "sourceIdentifier", source)
        .andSearchParameter("targetSystem", new StringParam(String.join(",", systems))).useHttpGet().execute();
    return answer.getParameter().stream().filter(one -> "targetId".equals(one.getName())).map(one -> (Reference) one.getValue()).collect(Collectors.toList());
  }

  static List<Patient> byIds(IGenericClient client, List<String> ids) {
    return patients(client.search().forResource(Patient.class).where(new StringClientParam(Patient.SP_RES_ID).matches().values(ids)).count(10).returnBundle(Bundle.class).execute());
  }

  static String exceptionOf(Runnable request) {
    try {
      request.run();
      return "no exception";
    } catch (BaseServerResponseException e) {
      return e.getClass().getSimpleName();
    }
  }

  public static void main(String[] args) throws Exception {
    IGenericClient openmrs = client(args[0], args[2], args[1]);
    IGenericClient lims = client(args[0], args[3], args[1]);
    String uuid = UUID.randomUUID().toString();
    Patient first = (Patient) openmrs.create().resource(patient(uuid, "Akello")).execute().getResource();
    say("POST", first.getIdElement().hasIdPart(), first.getIdentifierFirstRep().getValue().equals("clinic7/" + uuid), first.getExtensionByUrl(EXTENSION).getValue());
    Patient updated = (Patient) openmrs.update().resource(patient(uuid, "Akello Apio")).execute().getResource();
    say("PUT by the uuid", updated.getIdElement().getIdPart().equals(first.getIdElement().getIdPart()), updated.getMeta().getVersionId(), updated.getNameFirstRep().getFamily());
    Patient read = openmrs.read().resource(Patient.class).withId(uuid).execute();
    say("read by the uuid", read.getIdElement().getIdPart().equals(first.getIdElement().getIdPart()), read.getNameFirstRep().getFamily());

    Patient other = patient(uuid, "Akello Apio");
    other.getIdentifierFirstRep().setSystem(LIMS);
    String there = lims.create().resource(other).execute().getId().getIdPart();
    TokenParam source = new TokenParam(OPENMRS, "clinic7/" + uuid);
    List<Reference> targets = targets(openmrs, source, LIMS, "http://clientregistry.org/dhis2");
    List<String> references = targets.stream().map(Reference::getReference).collect(Collectors.toList());
    say("$ihe-pix of two systems", references.equals(List.of("Patient/" + there)));
    say("$ihe-pix of a system that has none", targets(openmrs, source, "http://clientregistry.org/dhis2").size());
    say("$ihe-pix with the system for the value", exceptionOf(() -> targets(openmrs, new TokenParam(OPENMRS, OPENMRS), LIMS)));
    List<String> both = List.of(references.get(0), "Patient/" + read.getIdElement().getIdPart());
    say("search of these ids", byIds(openmrs, both).stream().map(one -> one.getNameFirstRep().getFamily() + "/" + one.getIdentifierFirstRep().getValue().equals("clinic7/" + uuid)).sorted().collect(Collectors.joining(" ")));
    // Released versions of the module send Java's name of the object.
    say("search of what the module makes of a reference", exceptionOf(() -> byIds(openmrs, targets.stream().map(Reference::toString).collect(Collectors.toList()))));

    openmrs.delete().resource(patient(uuid, "Akello Apio")).execute();
    say("DELETE by the uuid", exceptionOf(() -> openmrs.read().resource(Patient.class).withId(uuid).execute()));
    say("and the other system's record stays", lims.read().resource(Patient.class).withId(there).execute().getActive());
  }
}
