import com.azure.containers.containerregistry.ContainerRegistryClient;
import com.azure.containers.containerregistry.ContainerRegistryClientBuilder;

/** The token as the password of the user "token": the SDK has no such methods. */
public final class UserAndPassword {
    static ContainerRegistryClient client(String token) {
        return new ContainerRegistryClientBuilder()
                .endpoint("https://registry.example")
                .username("token")
                .password(token)
                .buildClient();
    }
}
