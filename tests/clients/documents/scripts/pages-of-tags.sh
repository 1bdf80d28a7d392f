registry="contosoregistry.azurecr.io"
acr_access_token="eyJ...xcg"
image="hello-world"

limit=2
operation=/v2/$image/tags/list?n=$limit

headers=$(mktemp -t headers.XXXXX)

while [ -n "$operation" ]
do
    echo "Operation"
    echo $operation
    
    tags=$(curl -H "Authorization: Bearer $acr_access_token" "https://$registry$operation" -D $headers)
    echo "Tags"
    echo $tags
    
    operation=$(cat $headers | sed -n 's/^Link: <\(.*\)>.*/\1/p')
done
rm $headers
