#!/bin/bash
 
registry=" --- you have to fill this out --- "
user=" --- you have to fill this out --- "
password=" --- you have to fill this out --- "
 
operation="/v2/_catalog"
 
credentials=$(echo -n "$user:$password" | base64 -w 0)
 
catalog=$(curl -s -H "Authorization: Basic $credentials" https://$registry$operation)
echo "Catalog"
echo $catalog
