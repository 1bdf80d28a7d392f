import com.azure.containers.containerregistry.ContainerRegistryClient;
import com.azure.containers.containerregistry.ContainerRegistryClientBuilder;
import com.azure.containers.containerregistry.ContainerRegistryContentClient;
import com.azure.containers.containerregistry.ContainerRegistryContentClientBuilder;
import com.azure.containers.containerregistry.models.ArtifactManifestOrder;
import com.azure.containers.containerregistry.models.ArtifactManifestProperties;
import com.azure.containers.containerregistry.models.ArtifactTagOrder;
import com.azure.containers.containerregistry.models.ArtifactTagProperties;
import com.azure.containers.containerregistry.models.ContainerRegistryAudience;
import com.azure.containers.containerregistry.models.OciDescriptor;
import com.azure.containers.containerregistry.models.OciImageManifest;
import com.azure.core.credential.AccessToken;
import com.azure.core.credential.TokenCredential;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.util.BinaryData;
import java.io.ByteArrayOutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import reactor.core.publisher.Mono;

/**
 * Calls azure-containers-containerregistry, the SDK for Java:
 * {@code Sdk '{"endpoint": …, "who": …, "calls": [["tags", "team/hello"], …]}'}.
 *
 * <p>Prints a list with one {@code {"value": …}} or {@code {"error": status}} for each call. The SDK is the
 * released one; the only thing of ours is the credential that gives it a token that was issued elsewhere.
 */
public final class Sdk {
    private final String endpoint;
    private final TokenCredential credential;
    private final ContainerRegistryClient client;

    private Sdk(String endpoint, String token) {
        this.endpoint = endpoint;
        AccessToken issued = new AccessToken(token, OffsetDateTime.now().plusHours(1));
        credential = token == null ? null : request -> Mono.just(issued);
        ContainerRegistryClientBuilder builder = new ContainerRegistryClientBuilder().endpoint(endpoint);
        builder.audience(ContainerRegistryAudience.AZURE_RESOURCE_MANAGER_PUBLIC_CLOUD);
        client = (credential == null ? builder : builder.credential(credential)).buildClient();
    }

    private Object call(String call, List<String> names) {
        String name = names.isEmpty() ? null : names.get(0);
        String reference = names.size() < 2 ? null : names.get(1);
        switch (call) {
            case "repositories":
                return client.listRepositoryNames().stream().collect(Collectors.toList());
            case "repository":
                return client.getRepository(name).getProperties().getTagCount();
            case "tags":
                // The SDK lists the tags of one manifest only; each manifest knows its own.
                return manifests(name).map(ArtifactManifestProperties::getTags).filter(Objects::nonNull)
                    .flatMap(List::stream).collect(Collectors.toList());
            case "newest":
                return newest(name, reference);
            case "tag":
                return client.getArtifact(name, reference).getTagProperties(reference).getDigest();
            case "manifests":
                return manifests(name).map(ArtifactManifestProperties::getDigest).collect(Collectors.toList());
            case "pages":
                return pages(name);
            case "manifest":
                return content(name).getManifest(reference).getDigest();
            case "lock":
                return change(name + ":" + reference, "write", false).get(1);
            case "unlock":
                return change(name + ":" + reference, "write", true).get(1);
            case "untag":
                client.getArtifact(name, reference).deleteTag(reference);
                return null;
            case "delete":
                client.deleteRepository(name);
                return null;
            case "discard":
                client.getArtifact(name, reference).delete();
                return null;
            case "show":
                return show(name);
            case "change":
                return change(name, reference, Boolean.parseBoolean(names.get(2)));
            case "upload":
                return upload(content(name), reference, names.get(2));
            case "download":
                return download(content(name), reference);
            default:
                throw new IllegalArgumentException(call);
        }
    }

    private Stream<ArtifactManifestProperties> manifests(String name) {
        return client.getRepository(name).listManifestProperties().stream();
    }

    private List<String> newest(String name, String digest) {
        ArtifactTagOrder order = ArtifactTagOrder.LAST_UPDATED_ON_DESCENDING;
        List<String> found = new ArrayList<>();
        client.getArtifact(name, digest).listTagProperties(order).iterableByPage(2)
            .forEach(page -> page.getValue().forEach(tag -> found.add(tag.getName())));
        return found;
    }

    private List<Integer> pages(String name) {
        ArtifactManifestOrder order = ArtifactManifestOrder.LAST_UPDATED_ON_DESCENDING;
        List<Integer> sizes = new ArrayList<>();
        client.getRepository(name).listManifestProperties(order).iterableByPage(3)
            .forEach(page -> sizes.add(page.getValue().size()));
        return sizes;
    }

    private ContainerRegistryContentClient content(String name) {
        ContainerRegistryContentClientBuilder builder =
            new ContainerRegistryContentClientBuilder().endpoint(endpoint).repositoryName(name);
        builder.audience(ContainerRegistryAudience.AZURE_RESOURCE_MANAGER_PUBLIC_CLOUD);
        return (credential == null ? builder : builder.credential(credential)).buildClient();
    }

    /** All that the SDK knows of one thing: its name, its times, what it may be done with, and the rest. */
    private List<Object> show(String reference) {
        String[] at = reference.split("@");
        String[] colon = reference.split(":");
        if (at.length == 2) {
            ArtifactManifestProperties of = client.getArtifact(at[0], at[1]).getManifestProperties();
            return Arrays.asList(of.getDigest(), micros(of.getCreatedOn()), micros(of.getLastUpdatedOn()), may(of),
                of.getSizeInBytes(), text(of.getArchitecture()), text(of.getOperatingSystem()), of.getTags(),
                of.getRegistryLoginServer(), of.getRepositoryName());
        }
        if (colon.length == 2) {
            ArtifactTagProperties of = client.getArtifact(colon[0], colon[1]).getTagProperties(colon[1]);
            return Arrays.asList(of.getName(), micros(of.getCreatedOn()), micros(of.getLastUpdatedOn()), may(of),
                of.getDigest(), of.getRegistryLoginServer(), of.getRepositoryName());
        }
        var of = client.getRepository(reference).getProperties();
        List<Boolean> may =
            Arrays.asList(of.isDeleteEnabled(), of.isWriteEnabled(), of.isReadEnabled(), of.isListEnabled());
        return Arrays.asList(of.getName(), micros(of.getCreatedOn()), micros(of.getLastUpdatedOn()), may,
            of.getTagCount(), of.getManifestCount(), of.getRegistryLoginServer());
    }

    private static List<Boolean> may(ArtifactTagProperties of) {
        return Arrays.asList(of.isDeleteEnabled(), of.isWriteEnabled(), of.isReadEnabled(), of.isListEnabled());
    }

    private static List<Boolean> may(ArtifactManifestProperties of) {
        return Arrays.asList(of.isDeleteEnabled(), of.isWriteEnabled(), of.isReadEnabled(), of.isListEnabled());
    }

    private static long micros(OffsetDateTime time) {
        return ChronoUnit.MICROS.between(OffsetDateTime.parse("1970-01-01T00:00:00Z"), time);
    }

    private static String text(Object value) {
        return value == null ? null : value.toString();
    }

    /** Sets one flag, and gives all four as the answer has them. */
    private List<Boolean> change(String reference, String flag, boolean value) {
        Boolean delete = flag.equals("delete") ? value : null;
        Boolean write = flag.equals("write") ? value : null;
        Boolean read = flag.equals("read") ? value : null;
        Boolean list = flag.equals("list") ? value : null;
        String[] at = reference.split("@");
        String[] colon = reference.split(":");
        if (at.length == 2) {
            var to = new ArtifactManifestProperties().setDeleteEnabled(delete).setWriteEnabled(write);
            to.setReadEnabled(read).setListEnabled(list);
            return may(client.getArtifact(at[0], at[1]).updateManifestProperties(to));
        }
        if (colon.length == 2) {
            var to = new ArtifactTagProperties().setDeleteEnabled(delete).setWriteEnabled(write);
            to.setReadEnabled(read).setListEnabled(list);
            return may(client.getArtifact(colon[0], colon[1]).updateTagProperties(colon[1], to));
        }
        var to = new com.azure.containers.containerregistry.models.ContainerRepositoryProperties();
        to.setDeleteEnabled(delete).setWriteEnabled(write).setReadEnabled(read).setListEnabled(list);
        var of = client.getRepository(reference).updateProperties(to);
        return Arrays.asList(of.isDeleteEnabled(), of.isWriteEnabled(), of.isReadEnabled(), of.isListEnabled());
    }

    /** Pushes an image of one layer, which is a text; gives its digest. */
    private static String upload(ContainerRegistryContentClient content, String tag, String text) {
        OciDescriptor config = blob(content, "application/vnd.oci.image.config.v1+json",
            "{\"architecture\":\"arm64\",\"os\":\"linux\"}");
        OciDescriptor layer = blob(content, "application/vnd.oci.image.layer.v1.tar", text);
        OciImageManifest manifest = new OciImageManifest().setSchemaVersion(2);
        manifest.setConfiguration(config).setLayers(List.of(layer));
        return content.setManifest(manifest, tag).getDigest();
    }

    private static OciDescriptor blob(ContainerRegistryContentClient content, String mediaType, String text) {
        var uploaded = content.uploadBlob(BinaryData.fromString(text));
        OciDescriptor descriptor = new OciDescriptor().setMediaType(mediaType).setDigest(uploaded.getDigest());
        return descriptor.setSizeInBytes(uploaded.getSizeInBytes());
    }

    /** Pulls an image, and gives the text of its layer. The SDK checks both against their digests. */
    private static String download(ContainerRegistryContentClient content, String tag) {
        OciImageManifest manifest = content.getManifest(tag).getManifest().toObject(OciImageManifest.class);
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        content.downloadStream(manifest.getLayers().get(0).getDigest(), Channels.newChannel(text));
        return text.toString(StandardCharsets.UTF_8);
    }

    private Map<String, Object> outcome(List<String> call) {
        try {
            Object value = call(call.get(0), call.subList(1, call.size()));
            return value == null ? Map.of() : Map.of("value", value);
        } catch (HttpResponseException refused) {
            System.err.println(refused.getMessage());
            return Map.of("error", refused.getResponse().getStatusCode());
        }
    }

    @SuppressWarnings("unchecked")
    public static void main(String[] arguments) {
        Map<String, Object> asked = BinaryData.fromString(arguments[0]).toObject(Map.class);
        String token = ((Map<String, String>) asked.get("who")).get("token");
        Sdk sdk = new Sdk((String) asked.get("endpoint"), token);
        List<Map<String, Object>> outcomes = new ArrayList<>();
        for (List<String> call : (List<List<String>>) asked.get("calls")) {
            outcomes.add(sdk.outcome(call));
        }
        System.out.println(BinaryData.fromObject(outcomes));
        // The SDK's own threads would keep the process for a while.
        System.exit(0);
    }
}
