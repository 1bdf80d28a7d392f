registry="contosoregistry.azurecr.io"
acr_access_token="eyJ...xcg"

limit=2
operation=/v2/_catalog?n=$limit

headers=$(mktemp -t headers.XXXXX)

while [ -n "$operation" ]
do
    echo "Operation"
    echo $operation
    
    catalog=$(curl -H "Authorization: Bearer $acr_access_token" "https://$registry$operation" -D $headers)
    echo "Catalog"
    echo $catalog
    
    operation=$(cat $headers | sed -n 's/^Link: <\(.*\)>.*/\1/p')
done
rm $headers
