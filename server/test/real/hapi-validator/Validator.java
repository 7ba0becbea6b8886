import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/**
 * java Validator FOLDER: validates every file of the folder (.json, .xml) against FHIR R4, and says `FILE severity location message` of
 * each message, a tab between; at the end `done N`.
 */
class Validator {
  public static void main(String[] args) throws Exception {
    FhirContext context = FhirContext.forR4();
    ValidationSupportChain support = new ValidationSupportChain(new DefaultProfileValidationSupport(context),
        new InMemoryTerminologyServerValidationSupport(context), new CommonCodeSystemsTerminologyService(context));
    FhirValidator validator = context.newValidator().registerValidatorModule(new FhirInstanceValidator(support));
    List<Path> files;
    try (Stream<Path> all = Files.list(Path.of(args[0]))) {
      files = all.sorted().collect(Collectors.toList());
    }
    for (Path file : files) {
      for (SingleValidationMessage message : validator.validateWithResult(Files.readString(file)).getMessages())
        System.out.println(String.join("\t", file.getFileName().toString(), message.getSeverity().getCode(),
            message.getLocationString(), message.getMessage().replaceAll("\\s+", " ")));
    }
    System.out.println("done\t" + files.size());
  }
}
