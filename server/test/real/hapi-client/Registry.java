import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.api.ServerValidationModeEnum;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.apache.http.impl.client.HttpClients;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.ContactPoint;
import org.hl7.fhir.r4.model.DateType;
import org.hl7.fhir.r4.model.Enumerations.AdministrativeGender;
import org.hl7.fhir.r4.model.HumanName;
import org.hl7.fhir.r4.model.Patient;

/** What the programs of this folder share: HAPI's client over mutual TLS, a patient, and how they say what they saw. */
class Registry {
  static final String OPENMRS = "http://clientregistry.org/openmrs";
  static final String LIMS = "http://clientregistry.org/lims";

  /** Shows the certificate in the .p12 file, which has no password, and trusts the CA in the .pem file only. */
  static SSLContext tls(String p12, String ca) throws Exception {
    KeyStore own = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(Path.of(p12))) {
      own.load(in, new char[0]);
    }
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(own, new char[0]);
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    try (InputStream in = Files.newInputStream(Path.of(ca))) {
      trusted.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(trusted);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return tls;
  }

  /** Asks for the CapabilityStatement before its first request. */
  static IGenericClient client(String base, String p12, String ca) throws Exception {
    FhirContext context = FhirContext.forR4();
    context.getRestfulClientFactory().setHttpClient(HttpClients.custom().setSSLContext(tls(p12, ca)).build());
    context.getRestfulClientFactory().setServerValidationMode(ServerValidationModeEnum.ONCE);
    return context.newRestfulGenericClient(base);
  }

  static Patient patient(String system, String value, String family, String given, String born) {
    Patient patient = new Patient();
    patient.addIdentifier().setSystem(system).setValue(value);
    patient.addName().setUse(HumanName.NameUse.OFFICIAL).setFamily(family).addGiven(given);
    patient.addTelecom().setSystem(ContactPoint.ContactPointSystem.PHONE).setUse(ContactPoint.ContactPointUse.MOBILE).setValue("0772 " + value.hashCode());
    patient.setGender(AdministrativeGender.FEMALE).setBirthDateElement(new DateType(born)).setActive(true);
    return patient;
  }

  /** Ids of the Patients of a Bundle, in its order. */
  static List<String> ids(Bundle bundle) {
    return bundle.getEntry().stream().map(entry -> entry.getResource().getIdElement().getIdPart()).collect(Collectors.toList());
  }

  /** One line: `claim: fact fact ...`. */
  static void say(String claim, Object... facts) {
    System.out.println(claim + ": " + Arrays.stream(facts).map(String::valueOf).collect(Collectors.joining(" ")));
  }
}
